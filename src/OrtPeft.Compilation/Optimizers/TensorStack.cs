namespace OrtPeft.Compilation.Optimizers;

/// <summary>Tensors of one shape.</summary>
/// <param name="Tensors">How many.</param>
/// <param name="Dims">The axes of each.</param>
internal sealed record TensorStack(long Tensors, IReadOnlyList<long> Dims)
{
    /// <summary>Whether they have rows and columns; axes before those count matrices.</summary>
    public bool IsMatrix => Dims.Count >= 2;

    /// <summary>The elements of one.</summary>
    public long Count => Dims.Aggregate(1L, static (product, dim) => checked(product * dim));

    /// <summary>The length of the row axis, the one before the last.</summary>
    public long Rows => Dims[^2];

    /// <summary>The length of the last axis.</summary>
    public long Columns => Dims[^1];

    /// <summary>The axes of one tensor within the stack.</summary>
    public long[] Axes => [.. Enumerable.Range(1, Dims.Count).Select(static axis => (long)axis)];
}
