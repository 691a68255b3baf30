using OrtPeft.Kernels.Loops;

namespace OrtPeft.Kernels.Products;

/// <summary>A tile of a product that is complete.</summary>
internal unsafe struct FinishedTile
{
    /// <summary>Its sums.</summary>
    public StridedRows Sums;

    /// <summary>Its place in the product's rows [rows, columns].</summary>
    public long Place;

    /// <summary>Its first column, and how many rows and columns it has.</summary>
    public int Column, Rows, Columns;

    /// <summary>Its place where results go in strips; else null.</summary>
    public float* Strip;
}
