using OrtPeft.Inference.Kernels.Attention;
using OrtPeft.Inference.Kernels.LowRank;
using OrtPeft.Inference.Kernels.Products;

namespace OrtPeft.Inference.Kernels;

/// <summary>
/// What one piece of an operator's work needs. It lives on the stack of who calls <see cref="KernelCall.Share"/>, so
/// that a run allocates nothing.
/// </summary>
internal unsafe struct KernelWork
{
    /// <summary>Does one piece; must not throw.</summary>
    public delegate*<in KernelWork, long, void> Body;

    /// <summary>Inputs, in the operator's order.</summary>
    public float* A, B, C;

    /// <summary>Integers that an operator reads.</summary>
    public long* Integers;

    /// <summary>Outputs, in the operator's order.</summary>
    public float* X, Y, Z;

    /// <summary>Elements of a row, where pieces are rows.</summary>
    public int Columns;

    /// <summary>The lengths of the second and third of four axes.</summary>
    public long Heads, Queries;

    /// <summary>Of an operand that is broadcast over four axes: the first three's strides and the last's length.
    /// </summary>
    public long BatchStride, HeadStride, QueryStride;

    /// <inheritdoc cref="BatchStride"/>
    public int MaskColumns;

    /// <summary>How many keys each row of a mask lets a query see.</summary>
    public int* Seen;

    /// <summary>Of a product, what is multiplied how.</summary>
    public ProductPlan* Product;

    /// <summary>Of attention, its operands.</summary>
    public AttentionPlan* Attention;

    /// <summary>Of LoRA's thin products, their operands.</summary>
    public LowRankPlan* LowRank;

    /// <summary>An operator's parameter.</summary>
    public float Number;
}
