using OrtPeft.Compilation.Rewrites;
using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Runtime;

/// <summary>The choice of speedups that pay for a model on this machine.</summary>
internal static class SpeedupChoice
{
    /// <summary>Chooses among those that are wanted.</summary>
    /// <param name="model">The adapted model.</param>
    /// <param name="options">How it runs.</param>
    /// <param name="wanted">What may be chosen, in order.</param>
    /// <param name="precision">One of <see cref="ProductPrecision.Names"/>.</param>
    /// <returns>The speedups, and whether ONNX Runtime is to pack matrices: where OrtPeft's kernel does so, it has no
    /// need to.</returns>
    public static (IReadOnlyList<Speedup> Speedups, bool Packs) For(
        Model model, RuntimeOptions options, IReadOnlyList<Speedup> wanted, string precision)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(wanted);
        var fits = options.TakesKernels;
        var multiplies = ProductPrecision.InGraph(precision, options) == ElementType.Float && Multiplies(model, options, wanted);
        var packs = !multiplies && (options.Prepacking ?? PaysToPack(model));
        var pays = wanted.Where(s =>
            (fits || !s.UsesKernels) && (multiplies || !s.PacksWeights) && (packs || !s.ForPackedWeights));
        var chosen = Speedups.Satisfied(pays);
        return (ProductPrecision.Resolve(precision, options) == ProductPrecision.Bf16 ? Speedups.InBf16(chosen) : chosen, packs);
    }

    /// <summary>Why products are not in bfloat16 although that was asked for.</summary>
    /// <inheritdoc cref="For"/>
    /// <returns>The reason; null where they are, or need not be.</returns>
    public static string? WhyNotInBf16(
        Model model, RuntimeOptions options, IReadOnlyList<Speedup> wanted, string precision)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(wanted);
        return precision != ProductPrecision.Bf16 || ProductPrecision.InGraph(precision, options) == ElementType.BFloat16 ? null
            : !options.TakesKernels ? "the kernels that multiply it do not run here"
            : KernelDomain.ObstacleToBf16
                ?? (Multiplies(model, options, wanted) ? null : "weights are not packed");
    }

    /// <summary>Whether OrtPeft's own kernel multiplies.</summary>
    private static bool Multiplies(Model model, RuntimeOptions options, IReadOnlyList<Speedup> wanted) =>
        options.TakesKernels && wanted.Any(static s => s.PacksWeights)
        && (options.Prepacking ?? PackedMatrices.FitInPlace(model)) && FasterProducts.AreOwn(options);

    /// <summary>
    /// Whether ONNX Runtime packs matrices. It does not pack those of few bits, and copies of what a quantised model has
    /// left whole, such as the head, would double its memory.
    /// </summary>
    private static bool PaysToPack(Model model) =>
        !model.Graph.Nodes.Any(static n => n.Is("DequantizeLinear")) && PackedMatrices.Fit(model, directions: 2);
}
