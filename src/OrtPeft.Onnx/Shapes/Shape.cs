using System.Collections;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace OrtPeft.Onnx.Shapes;

/// <summary>The axes of a tensor, outermost first; equal when all axes are. Immutable and thread-safe.</summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public sealed class Shape : IReadOnlyList<Dim>, IEquatable<Shape>
{
    private readonly ImmutableArray<Dim> _dims;

    private Shape(ImmutableArray<Dim> dims) => _dims = dims;

    /// <summary>The shape of a single number: no axes.</summary>
    public static Shape Scalar { get; } = new([]);

    /// <summary>How many axes there are.</summary>
    public int Rank => _dims.Length;

    /// <inheritdoc/>
    int IReadOnlyCollection<Dim>.Count => _dims.Length;

    /// <summary>Whether every axis is a plain number.</summary>
    public bool IsStatic => _dims.All(static d => d.Value is not null);

    /// <summary>The axis at a place.</summary>
    /// <param name="index">0 to Rank − 1; a negative number is not counted from the end.</param>
    public Dim this[int index] => _dims[index];

    /// <summary>Makes a shape of axes; what collection expressions call.</summary>
    /// <param name="dims">The axes, outermost first.</param>
    /// <returns>The shape.</returns>
    public static Shape Create(ReadOnlySpan<Dim> dims) => new([.. dims]);

    /// <summary>Makes a shape of fixed lengths.</summary>
    /// <param name="dims">The lengths, outermost first.</param>
    /// <returns>The shape.</returns>
    public static Shape Of(IEnumerable<long> dims) => new([.. dims.Select(static d => (Dim)d)]);

    /// <summary>The lengths when all are plain numbers.</summary>
    /// <returns>One number per axis, or null when an axis is symbolic or unknown.</returns>
    public ImmutableArray<long>? ToStatic() =>
        IsStatic ? [.. _dims.Select(static d => d.Value!.Value)] : null;

    /// <summary>Whether two tensors' axes are surely of the same lengths.</summary>
    /// <param name="other">The other's axes.</param>
    /// <returns>True when all axes are known and equal; false when some differ or may differ.</returns>
    public bool SurelyEquals(IReadOnlyList<Dim> other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Rank == other.Count && _dims.Zip(other).All(static pair => pair.First.SurelyEquals(pair.Second));
    }

    /// <summary>Whether a tensor of certain axes may stand where these are declared: every plain number is the same.</summary>
    /// <param name="other">The tensor's axes.</param>
    internal bool Admits(Shape other) => Rank == other.Rank
        && _dims.Zip(other._dims).All(static pair => pair.First.Value is null || pair.First.Value == pair.Second.Value);

    /// <inheritdoc/>
    public bool Equals(Shape? other) => other is not null && _dims.SequenceEqual(other._dims);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Shape);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var dim in _dims)
            hash.Add(dim);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<Dim> GetEnumerator() => ((IEnumerable<Dim>)_dims).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The shape as <c>[batch, 768]</c>.</summary>
    /// <returns>Text for messages.</returns>
    public override string ToString() => $"[{string.Join(", ", _dims)}]";
}
