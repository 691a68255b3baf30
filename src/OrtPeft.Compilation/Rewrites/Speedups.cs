using OrtPeft.Compilation.Rewrites.Fusing;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>All rewrites of training graphs for speed, a row each; docs/performance.md has their figures.</summary>
public static class Speedups
{
    /// <summary>The rewrites, in the order in which they run.</summary>
    public static IReadOnlyList<Speedup> All { get; } =
    [
        new("pad-rows", "pad inner rows of 4 KiB multiples, which caches hold badly", SpeedupStage.BeforeGradient,
            RowPadding.Run) { ForPackedWeights = true },
        new("pick-rows", "compute behind the last attention only rows with labels", SpeedupStage.BeforeGradient,
            RowPicking.Run),
        new("merge-masks", "add the causal and the padding mask at once", SpeedupStage.AfterGradient, MaskMerging.Run),
        new("kernel-gelu", "GELU and its gradient in one pass each", SpeedupStage.AfterGradient, GeluKernels.Run)
        {
            UsesKernels = true,
        },
        new("kernel-layer-norm", "layer normalisation and its gradient in one pass each", SpeedupStage.AfterGradient,
            LayerNormKernels.Run) { UsesKernels = true },
        new("kernel-softmax", "mask and softmax, and their gradient, in one pass each", SpeedupStage.AfterGradient,
            SoftmaxKernels.Run) { UsesKernels = true },
        new("kernel-heads", "take queries, keys and values apart and together on all threads, in one pass",
            SpeedupStage.AfterGradient, HeadsKernels.Run) { UsesKernels = true },
        new("kernel-attention", "compute of attention only what queries see", SpeedupStage.AfterGradient,
            AttentionKernels.Run) { UsesKernels = true },
        new("kernel-cross-entropy", "the loss and its gradient from the logits in one pass",
            SpeedupStage.AfterGradient, CrossEntropyKernels.Run) { UsesKernels = true },
        new("kernel-matmul", "multiply with constant matrices that are packed once for both directions",
            SpeedupStage.AfterGradient, MatMulKernels.Run) { UsesKernels = true, PacksWeights = true },
        new("kernel-lora", "LoRA's products within those of its layer", SpeedupStage.AfterGradient,
            LoraKernels.Run) { UsesKernels = true },
        new("kernel-epilogue", "biases, residual sums and GELU within the products before them",
            SpeedupStage.AfterGradient, EpilogueKernels.Run) { UsesKernels = true },
        new("kernel-strips", "results of products in the order in which the next one reads",
            SpeedupStage.AfterGradient, StripKernels.Run) { UsesKernels = true },
        new("unfold-layer-norm", "share layer normalisation's steps with its gradient", SpeedupStage.AfterGradient,
            LayerNormUnfolding.Run),
        new("unfold-gelu", "share GELU's sigmoid with its gradient", SpeedupStage.AfterGradient, GeluUnfolding.Run),
        new("pad-operands", "copy rows of 4 KiB multiples into longer ones before large products",
            SpeedupStage.AfterGradient, OperandPadding.Run) { ForPackedWeights = true },
    ];

    /// <summary>Those that pay wherever a graph runs.</summary>
    public static IReadOnlyList<Speedup> Portable { get; } =
        [.. All.Where(static s => !s.ForPackedWeights && !s.UsesKernels)];

    /// <summary>All but some.</summary>
    /// <param name="names">The names of those that are left out.</param>
    /// <returns>The others, in order.</returns>
    /// <exception cref="ArgumentException">There is none of a name; the message lists all.</exception>
    public static IReadOnlyList<Speedup> Except(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var unknown = names.FirstOrDefault(static n => All.All(s => s.Name != n));
        return unknown is null ? [.. All.Where(s => !names.Contains(s.Name))] : throw new SettingException(
            $"There is no rewrite '{unknown}'; choose from {string.Join(", ", All.Select(static s => s.Name))}.");
    }
}
