using System.Collections.Immutable;

namespace OrtPeft.Models;

/// <summary>Some layers of a model. Immutable; equal by value.</summary>
public sealed class LayerSet : IEquatable<LayerSet>
{
    private readonly ImmutableSortedSet<int> _layers;

    /// <summary>Creates a set.</summary>
    /// <param name="layers">The layers' numbers, from 0.</param>
    public LayerSet(params IEnumerable<int> layers) => _layers = [.. layers];

    /// <summary>How many there are.</summary>
    public int Count => _layers.Count;

    /// <summary>Whether a layer is one of them.</summary>
    /// <param name="layer">The layer's number, from 0.</param>
    public bool Contains(int layer) => _layers.Contains(layer);

    /// <inheritdoc/>
    public bool Equals(LayerSet? other) => other is not null && _layers.SetEquals(other._layers);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LayerSet);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_layers.Count, _layers.FirstOrDefault(-1));

    /// <summary>The numbers.</summary>
    public override string ToString() => string.Join(", ", _layers);
}
