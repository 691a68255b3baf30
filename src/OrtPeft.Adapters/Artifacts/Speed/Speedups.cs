namespace OrtPeft.Adapters.Artifacts.Speed;

/// <summary>All rewrites of training graphs for speed; a row each. <c>docs/performance.md</c> has their figures.</summary>
public static class Speedups
{
    /// <summary>The rewrites, in the order in which they run.</summary>
    public static IReadOnlyList<Speedup> All { get; } =
    [
        new("pad-rows", "pad inner rows of 4 KiB multiples, which caches hold badly", SpeedupStage.BeforeGradient,
            RowPadding.Run) { ForPackedWeights = true },
        new("unfold-layer-norm", "share layer normalisation's steps with its gradient", SpeedupStage.AfterGradient,
            LayerNormUnfolding.Run),
        new("unfold-gelu", "share GELU's sigmoid with its gradient", SpeedupStage.AfterGradient, GeluUnfolding.Run),
        new("pad-operands", "copy rows of 4 KiB multiples into longer ones before large products",
            SpeedupStage.AfterGradient, OperandPadding.Run) { ForPackedWeights = true },
        new("merge-masks", "add the causal and the padding mask at once", SpeedupStage.AfterGradient, MaskMerging.Run),
    ];

    /// <summary>Those that pay wherever a graph runs.</summary>
    public static IReadOnlyList<Speedup> Portable { get; } = [.. All.Where(static s => !s.ForPackedWeights)];
}
