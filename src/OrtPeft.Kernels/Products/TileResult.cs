namespace OrtPeft.Kernels.Products;

/// <summary>Where a tile's sums go, and what is added to them.</summary>
internal unsafe struct TileResult
{
    /// <summary>The first of the tile's rows, and how far they are apart.</summary>
    public float* C;

    /// <inheritdoc cref="C"/>
    public nint Stride;

    /// <summary>The first of the rows that are added, and how far they are apart; null where there are none.</summary>
    public float* Sum;

    /// <inheritdoc cref="Sum"/>
    public nint SumStride;

    /// <summary>A row that is added to all rows; null where there is none.</summary>
    public float* Bias;

    /// <summary>The part that begins at a row and a column of it.</summary>
    public readonly TileResult From(int row, int column) => new()
    {
        C = C + (row * Stride) + column,
        Stride = Stride,
        Sum = Sum == null ? null : Sum + (row * SumStride) + column,
        SumStride = SumStride,
        Bias = Bias == null ? null : Bias + column,
    };
}
