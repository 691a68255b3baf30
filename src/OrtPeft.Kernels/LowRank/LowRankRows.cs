namespace OrtPeft.Kernels.LowRank;

/// <summary>
/// The work of LoRA's thin products on rows of X. They do so little with each number that reading X is most of their
/// time, so a row is read once for all of them.
/// </summary>
internal static unsafe class LowRankRows
{
    /// <summary>Rows whose sums one piece adds up.</summary>
    public const int OfPiece = 64;

    /// <summary>Rows that are read at once: the processor sees them coming, and they are still in the second cache when
    /// they are read again.</summary>
    public const int OfBlock = 16;

    /// <summary>The plan that all of these products share.</summary>
    public static LowRankPlan Plan(float* x, long rows, long columns, int rank) => new()
    {
        X = x,
        Rows = checked((int)rows),
        Columns = checked((int)columns),
        Rank = rank,
        Alpha = 1,
        Factor = 1,
    };

    /// <summary>U, and what is to be added up, of some rows.</summary>
    public static void Compute(in LowRankPlan plan, int first, int end)
    {
        for (var row = first; row < end; row += OfBlock)
        {
            var rows = Math.Min(OfBlock, end - row);
            if (plan.V != null)
                LowRankTile.Multiply(
                    plan.X + ((nint)row * plan.Columns), rows, plan.V, plan.Rank, plan.Columns, plan.Alpha,
                    plan.U + ((nint)row * plan.Rank));
            if (plan.Sums != null)
                LowRankSums.AddBlock(in plan, row, rows);
        }
    }
}
