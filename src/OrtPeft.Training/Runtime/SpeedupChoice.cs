using OrtPeft.Compilation.Rewrites;
using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Training.Runtime;

/// <summary>Which speedups pay for a model on this machine.</summary>
public static class SpeedupChoice
{
    /// <summary>Chooses among those that are wanted.</summary>
    /// <param name="model">The adapted model.</param>
    /// <param name="options">How it runs.</param>
    /// <param name="wanted">What may be chosen, in order.</param>
    /// <returns>The speedups, and whether ONNX Runtime is to pack matrices: where OrtPeft's kernel does so, it has no
    /// need to.</returns>
    public static (IReadOnlyList<Speedup> Speedups, bool Packs) For(
        Model model, RuntimeOptions options, IReadOnlyList<Speedup> wanted)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(wanted);
        var fits = options.TakesKernels;
        var multiplies = fits && KernelDomain.MultipliesFast && wanted.Any(static s => s.PacksWeights)
            && (options.Prepacking ?? PackedMatrices.FitInPlace(model));
        var packs = !multiplies && (options.Prepacking ?? PaysToPack(model));
        var pays = wanted.Where(s =>
            (fits || !s.UsesKernels) && (multiplies || !s.PacksWeights) && (packs || !s.ForPackedWeights));
        return (Speedups.Satisfied(pays), packs);
    }

    /// <summary>
    /// Whether ONNX Runtime packs matrices. It does not pack those of few bits, and copies of what a quantised model has
    /// left whole, such as the head, would double its memory.
    /// </summary>
    private static bool PaysToPack(Model model) =>
        !model.Graph.Nodes.Any(static n => n.Is("DequantizeLinear")) && PackedMatrices.Fit(model, directions: 2);
}
