using OrtPeft.Kernels.Attention;
using OrtPeft.Kernels.LowRank;
using OrtPeft.Kernels.Native;
using OrtPeft.Kernels.Products;

namespace OrtPeft.Kernels;

/// <summary>
/// What one piece of an operator's work needs. It lives on the stack of who calls <see cref="KernelCall.Share"/>, so
/// that a run allocates next to nothing.
/// </summary>
internal unsafe struct KernelWork
{
    /// <summary>Does one piece. What it throws reaches the caller of <see cref="KernelCall.Share"/>.</summary>
    public delegate*<in KernelWork, long, void> Body;

    /// <summary>Inputs, in the operator's order.</summary>
    public float* A, B, C, D;

    /// <summary>Integers that an operator reads.</summary>
    public long* Integers;

    /// <summary>Outputs, in the operator's order.</summary>
    public float* X, Y, Z;

    /// <summary>Elements of a row, where pieces are rows.</summary>
    public int Columns;

    /// <summary>The lengths of the second and third of four axes.</summary>
    public long Heads, Queries;

    /// <summary>Of softmax, the mask.</summary>
    public ScoreMask* Mask;

    /// <summary>Of a product, what is multiplied how.</summary>
    public ProductPlan* Product;

    /// <summary>Of attention, its operands.</summary>
    public AttentionPlan* Attention;

    /// <summary>Of LoRA's thin products, their operands.</summary>
    public LowRankPlan* LowRank;

    /// <summary>An operator's parameter.</summary>
    public float Number;

    /// <summary>A handle to the run's <see cref="PieceFailure"/>; <see cref="KernelCall.Share"/> sets it.</summary>
    public nint Failure;
}
