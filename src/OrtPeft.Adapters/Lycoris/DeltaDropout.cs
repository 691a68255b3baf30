using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Adapters.Lycoris;

/// <summary>
/// The dropouts of LyCORIS methods. Both act on rows of ΔW for a whole batch, so they may as well act on x·ΔWᵀ.
/// </summary>
internal static class DeltaDropout
{
    /// <summary>Whether a configuration has any.</summary>
    public static bool IsIn(LycorisConfig config) => config.RankDropout > 0 || config.ModuleDropout > 0;

    /// <summary>m ⊙ d, where m is 1 in evaluation.</summary>
    /// <param name="delta">d, [n, out].</param>
    /// <param name="features">The number of output features.</param>
    /// <param name="config">The probabilities.</param>
    /// <param name="rescales">Whether what rank dropout keeps is divided by the part that it kept.</param>
    public static Term Apply(Term delta, long features, LycorisConfig config, bool rescales)
    {
        if (config.RankDropout > 0)
            delta *= Rows(delta.Builder, features, config.RankDropout, rescales);
        return config.ModuleDropout > 0 ? delta * Kept(delta.Builder, 1, config.ModuleDropout) : delta;
    }

    private static Term Rows(GraphBuilder g, long features, double probability, bool rescales)
    {
        var kept = Kept(g, features, probability);
        if (!rescales)
            return kept;
        return kept / Max(Mean(kept, [0]), 0.5 / features); // none kept: 0, not 0/0
    }

    /// <summary>1 where a feature is kept, else 0; [features].</summary>
    private static Term Kept(GraphBuilder g, long features, double probability)
    {
        var ones = g.Constant(InitialWeights.Filled(1, features), "ones");
        return Cast(g.Term(g.Dropout(ones, probability)) > 0, ElementType.Float);
    }
}
