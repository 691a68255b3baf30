using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.LowRank;

/// <summary>The gradient of LoRA's first matrix.</summary>
internal static unsafe class LowRankKernel
{
    /// <summary>dU [m, r], X [m, n] → dA = dUᵀ·X [r, n].</summary>
    public static void Gradient(KernelCall call)
    {
        var (rows, columns) = call.Matrix(1);
        var (others, rank) = call.Matrix(0);
        KernelShapes.RequireEqual([rows, rank], [others, rank]);
        var plan = LowRankRows.Plan(call.Input<float>(1), rows, columns, rank);
        LowRankSums.Prepare(ref plan, call.Input<float>(0));
        plan.Total = call.Output(0, [rank, columns]);
        call.Share(new KernelWork { Body = &AddRows, LowRank = &plan }, LowRankSums.Pieces(in plan));
        LowRankSums.AddUp(call, &plan, isTransposed: false);
    }

    private static void AddRows(in KernelWork work, long piece)
    {
        var first = (int)piece * LowRankRows.OfPiece;
        LowRankRows.Compute(
            in *work.LowRank, first, Math.Min(first + LowRankRows.OfPiece, work.LowRank->Rows));
    }
}
