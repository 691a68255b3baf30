using OrtPeft.Compilation.Memory;
using OrtPeft.Kernels.Operators;
using OrtPeft.Kernels.Products;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>All rewrites of training graphs for speed, a row each; docs/performance.md has their figures.</summary>
public static class Speedups
{
    /// <summary>All of them; each comes after those that it requires.</summary>
    public static IReadOnlyList<Speedup> All { get; } =
    [
        new("pad-rows", "pad inner rows of 4 KiB multiples, which caches hold badly")
        {
            BeforeGradient = RowPadding.Run,
            ForPackedWeights = true,
        },
        new("pick-rows", "compute only rows with labels after the last attention") { BeforeGradient = RowPicking.Run },
        new("kernel-activation", "an activation and its gradient in one pass each")
        {
            Operators = ActivationOps.All,
            UsesKernels = true,
        },
        new("kernel-layer-norm", "layer normalisation and its gradient in one pass each")
        {
            Operators = [LayerNorm.Forward, LayerNorm.Backward],
            UsesKernels = true,
        },
        new("kernel-rms-norm", "root mean square normalisation and its gradient in one pass each")
        {
            Operators = [RmsNorm.Forward, RmsNorm.Backward],
            UsesKernels = true,
        },
        new("kernel-gated-mlp", "a gated MLP's inner rows and their gradient in one pass each")
        {
            Operators = ActivationOps.Gates,
            UsesKernels = true,
        },
        new("kernel-rotary", "rotary embedding and its gradient in one pass each")
        {
            Operators = [RotaryEmbedding.Forward, RotaryEmbedding.Backward],
            UsesKernels = true,
        },
        new("kernel-dropout", "dropout's mask and its product in one pass, nowhere in memory")
        {
            AfterGradient = SeededDropout.Run,
            UsesKernels = true,
        },
        new("kernel-softmax", "mask and softmax, and their gradient, in one pass each")
        {
            Operators = [MaskedSoftmax.Forward, MaskedSoftmax.Backward],
            UsesKernels = true,
        },
        new("kernel-heads", "take queries, keys and values apart and together on all threads, in one pass")
        {
            Operators = [Heads.Split, Heads.Merge],
            AfterGradient = AxisSwaps.Run,
            UsesKernels = true,
        },
        new("kernel-attention", "compute of attention only what queries see")
        {
            Operators = [SelfAttention.Forward, SelfAttention.Backward, Attention.Forward, Attention.Backward],
            UsesKernels = true,
        },
        new("kernel-head-rows", "attention of heads where linear layers have put them, without copies of their own")
        {
            AfterGradient = HeadRows.Run,
            Requires = ["kernel-rotary", "kernel-attention"],
            UsesKernels = true,
        },
        new("kernel-cross-entropy", "the loss and its gradient from the logits in one pass")
        {
            Operators = [CrossEntropy.Forward],
            UsesKernels = true,
        },
        new("kernel-matmul", "multiply with constant matrices that are packed once for both directions")
        {
            AfterGradient = static g => PackedProducts.Run(g, inBf16: false),
            UsesKernels = true,
            PacksWeights = true,
        },
        new("kernel-head", "the head's products and the loss in blocks of rows, never all logits at once")
        {
            AfterGradient = HeadBlocks.Run,
            Requires = ["kernel-cross-entropy", "kernel-matmul"],
            UsesKernels = true,
        },
        new("kernel-lora", "LoRA's products within those of its layer")
        {
            Operators = [LowRankLinear.Forward, LowRankLinear.Backward, LowRankLinear.OfA],
            Requires = ["kernel-matmul"],
            UsesKernels = true,
        },
        new("kernel-epilogue", "biases, residual sums and GELU within the products before them")
        {
            AfterGradient = ProductEpilogues.Run,
            Requires = ["kernel-matmul"],
            UsesKernels = true,
        },
        new("kernel-strips", "results of products in the order in which the next one reads")
        {
            AfterGradient = StripHandovers.Run,
            Requires = ["kernel-activation", "kernel-epilogue"],
            UsesKernels = true,
        },
        new("pad-operands", "copy rows of 4 KiB multiples into longer ones before large products")
        {
            AfterGradient = OperandPadding.Run,
            ForPackedWeights = true,
        },
        new("recompute-passes", "norms, activations and copies computed again for the gradient rather than kept")
        {
            AfterGradient = Recomputation.OfPasses,
            UsesKernels = true,
        },
        new("narrow-kept", "with products in bfloat16, what the gradient reads later is kept in it")
        {
            Requires = ["kernel-matmul"],
            UsesKernels = true,
            IsForBf16 = true,
        },
    ];

    /// <summary>Those that pay wherever a graph runs.</summary>
    public static IReadOnlyList<Speedup> Portable { get; } =
        [.. All.Where(static s => !s.ForPackedWeights && !s.UsesKernels)];

    /// <summary>The same with products in bfloat16: packed matrices and the rows that meet them are rounded to it, and
    /// sums are float32's; so are values that are kept for the gradient. Results differ as much as bfloat16 does.</summary>
    /// <param name="speedups">Any.</param>
    /// <returns>As many.</returns>
    public static IReadOnlyList<Speedup> InBf16(IEnumerable<Speedup> speedups)
    {
        ArgumentNullException.ThrowIfNull(speedups);
        return
        [
            .. speedups.Select(static s => s.PacksWeights
                ? s with { AfterGradient = static g => PackedProducts.Run(g, inBf16: true) }
                : s.IsForBf16 ? s with { AfterRecomputation = NarrowedKept.Run } : s),
        ];
    }

    /// <summary>All but some, and but those that require them.</summary>
    /// <param name="names">The names of those that are left out.</param>
    /// <returns>The others, in order.</returns>
    /// <exception cref="ArgumentException">There is none of a name; the message lists all.</exception>
    public static IReadOnlyList<Speedup> Except(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (names.FirstOrDefault(static n => All.All(s => s.Name != n)) is { } unknown)
        {
            throw new SettingException(
                $"There is no rewrite '{unknown}'; choose from {string.Join(", ", All.Select(static s => s.Name))}.");
        }

        return Satisfied(All.Where(s => !names.Contains(s.Name)));
    }

    /// <summary>Those whose requirements are among them.</summary>
    /// <param name="speedups">Any, in order.</param>
    /// <returns>The ones that can find something.</returns>
    public static IReadOnlyList<Speedup> Satisfied(IEnumerable<Speedup> speedups)
    {
        ArgumentNullException.ThrowIfNull(speedups);
        var kept = new List<Speedup>();
        foreach (var speedup in speedups)
        {
            if (speedup.Requires.All(name => kept.Exists(k => k.Name == name)))
                kept.Add(speedup);
        }

        return kept;
    }
}
