using System.Collections.Immutable;

namespace OrtPeft.Models.Llama;

/// <summary>Attention that looks a fixed number of tokens back, in some layers. Immutable; equal by value.</summary>
public sealed class SlidingWindow : IEquatable<SlidingWindow>
{
    private readonly ImmutableSortedSet<int> _layers;

    /// <summary>Creates a window.</summary>
    /// <param name="size">Tokens that a query sees, itself included; from 1.</param>
    /// <param name="layers">The numbers of the layers that have the window.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is under 1.</exception>
    public SlidingWindow(int size, params IEnumerable<int> layers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        Size = size;
        _layers = [.. layers];
    }

    /// <summary><c>sliding_window</c>: tokens that a query sees, itself included.</summary>
    public int Size { get; }

    /// <summary>Whether a layer has the window; the others see everything before them.</summary>
    /// <param name="layer">The layer's number, from 0.</param>
    public bool IsIn(int layer) => _layers.Contains(layer);

    /// <inheritdoc/>
    public bool Equals(SlidingWindow? other) =>
        other is not null && Size == other.Size && _layers.SetEquals(other._layers);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SlidingWindow);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Size, _layers.Count);

    /// <summary>The size and the layers.</summary>
    public override string ToString() => $"{Size} in layers {string.Join(", ", _layers)}";
}
