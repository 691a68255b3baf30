using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.LowRank;

/// <summary>Gradients of LoRA's matrices, which are sums over all rows: each piece adds up rows of its own.</summary>
internal static unsafe class LowRankSums
{
    /// <summary>Columns of a piece that adds up the pieces' sums.</summary>
    private const int ColumnsOfPiece = 256;

    /// <summary>Kept, since the next layer needs as much.</summary>
    [ThreadStatic]
    private static float[]? _filled, _sums;

    /// <summary>Makes room for the sums.</summary>
    /// <param name="plan">The plan, which gets its operand and sums.</param>
    /// <param name="other">[m, r].</param>
    public static void Prepare(ref LowRankPlan plan, float* other)
    {
        plan.Other = other;
        plan.FilledColumns = StridedTile.Filled(plan.Columns);
        plan.FilledRank = (plan.Rank + StridedTile.Rows - 1) / StridedTile.Rows * StridedTile.Rows;
        if (plan.FilledRank > plan.Rank)
        {
            plan.Other = KeptMemory.Of(ref _filled, (long)plan.Rows * plan.FilledRank);
            RowCopies.Lengthen(other, plan.Rank, plan.Rank, plan.Rows, plan.Other, plan.FilledRank);
        }

        // Without rows there is no piece, but sums of zeros.
        plan.Sums = KeptMemory.Of(ref _sums, Math.Max(Pieces(in plan), 1) * plan.FilledRank * plan.FilledColumns);
    }

    /// <summary>How many pieces add up rows.</summary>
    public static long Pieces(in LowRankPlan plan) => (plan.Rows + LowRankRows.OfPiece - 1L) / LowRankRows.OfPiece;

    /// <summary>Adds Otherᵀ·X of a block of rows to its piece's sums, or begins them.</summary>
    [SkipLocalsInit]
    public static void AddBlock(in LowRankPlan plan, int first, int rows)
    {
        const int Width = StridedTile.Width;
        var (piece, place) = Math.DivRem(first, LowRankRows.OfPiece);
        var other = plan.Other + ((nint)first * plan.FilledRank);
        var sums = plan.Sums + ((nint)piece * plan.FilledRank * plan.FilledColumns);
        var copy = stackalloc float[LowRankRows.OfBlock * Width];
        for (var column = 0; column < plan.Columns; column += Width)
        {
            var x = plan.X + ((nint)first * plan.Columns) + column;
            var stride = plan.Columns;
            if (column + Width > plan.Columns)
            {
                RowCopies.Lengthen(x, stride, plan.Columns - column, rows, copy, Width);
                x = copy;
                stride = Width;
            }

            for (var thin = 0; thin < plan.FilledRank; thin += StridedTile.Rows)
                StridedTile.Multiply(
                    rows, other + thin, 1, plan.FilledRank, x, stride,
                    sums + ((nint)thin * plan.FilledColumns) + column, plan.FilledColumns, adds: place > 0);
        }
    }

    /// <summary>Adds up the pieces' sums.</summary>
    /// <param name="call">Whose threads compute.</param>
    /// <param name="plan">Whose pieces are done.</param>
    /// <param name="isTransposed">Whether the total is [n, r].</param>
    public static void AddUp(KernelCall call, in LowRankPlan plan, bool isTransposed)
    {
        var pieces = (plan.Columns + ColumnsOfPiece - 1) / ColumnsOfPiece;
        call.Share(in plan, isTransposed ? &TurnedTotal : &Total, pieces);
    }

    private static void Total(in LowRankPlan plan, long piece)
    {
        for (var thin = 0; thin < plan.Rank; thin++)
        {
            var sums = Sum(in plan, thin, (int)piece * ColumnsOfPiece);
            var total = plan.Total + ((nint)thin * plan.Columns) + (piece * ColumnsOfPiece);
            TensorPrimitives.Multiply(sums, plan.Alpha, new Span<float>(total, sums.Length));
        }
    }

    private static void TurnedTotal(in LowRankPlan plan, long piece)
    {
        for (var thin = 0; thin < plan.Rank; thin++)
        {
            var sums = Sum(in plan, thin, (int)piece * ColumnsOfPiece);
            var total = plan.Total + (piece * ColumnsOfPiece * plan.Rank) + thin;
            for (var i = 0; i < sums.Length; i++, total += plan.Rank)
                *total = plan.Alpha * sums[i];
        }
    }

    /// <summary>A few columns of all pieces' sums for one of r.</summary>
    private static Span<float> Sum(in LowRankPlan plan, int thin, int column)
    {
        var size = (nint)plan.FilledRank * plan.FilledColumns;
        var count = Math.Min(ColumnsOfPiece, plan.Columns - column);
        var first = plan.Sums + ((nint)thin * plan.FilledColumns) + column;
        var sum = new Span<float>(first, count);
        if (plan.Rows == 0)
            sum.Clear();
        for (var piece = 1; piece < Pieces(in plan); piece++)
            TensorPrimitives.Add(sum, new ReadOnlySpan<float>(first + (piece * size), count), sum);
        return sum;
    }
}
