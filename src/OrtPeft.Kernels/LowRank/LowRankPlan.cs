using OrtPeft.Kernels.Operators;
using OrtPeft.Kernels.Products;

namespace OrtPeft.Kernels.LowRank;

/// <summary>Operands of LoRA's thin products: X [m, n] and V [r, n], whose product is U [m, r].</summary>
internal unsafe struct LowRankPlan
{
    /// <summary>The largest r.</summary>
    public const int Most = LowRankLinear.LargestRank;

    /// <summary>m, n and r.</summary>
    public int Rows, Columns, Rank;

    /// <summary>r in whole rounds of a product's loop.</summary>
    public readonly int EvenRank => (Rank + ProductTile.Unroll - 1) / ProductTile.Unroll * ProductTile.Unroll;

    /// <summary>n and r in whole tiles.</summary>
    public int FilledColumns, FilledRank;

    /// <summary>α, and what U is multiplied with where it is multiplied on.</summary>
    public float Alpha, Factor;

    /// <summary>Operands.</summary>
    public float* X, V;

    /// <summary>α·X·Vᵀ.</summary>
    public float* U;

    /// <summary>An operand of U's shape, but with rows of r in whole tiles.</summary>
    public float* Other;

    /// <summary>Of each piece, Otherᵀ·X of its rows, [r in whole tiles, n in whole tiles]; null where they are not
    /// asked for.</summary>
    public float* Sums;

    /// <summary>α·Otherᵀ·X of all rows, [r, n] or [n, r].</summary>
    public float* Total;
}
