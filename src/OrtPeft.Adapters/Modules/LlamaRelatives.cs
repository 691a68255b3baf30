using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Tells the families apart whose layers have Llama's names, by what a graph has of any exporter: HF PEFT's tables give
/// them other default targets.
/// </summary>
internal static class LlamaRelatives
{
    /// <summary>Whether a graph is of Qwen 2 or 3: queries have a bias that the end of attention has not, or a
    /// normalisation.</summary>
    public static bool IsQwen(Graph graph) => !HasNorm(graph, DefaultTargets.NormBeforeMlp)
        && HasNorm(graph, Family.AttentionNorm!) && HasNorm(graph, Family.MlpNorm!)
        && (HasNorm(graph, "q_norm") || (HasBias(graph, Family.Query) && !HasBias(graph, Family.AttentionOutput)));

    /// <summary>Whether a graph is of Gemma: the MLP's gate is a GELU.</summary>
    public static bool IsGemma(Graph graph) => Layers(graph, Family.MlpInputs[0]).Any(static m =>
        (m.BiasAdd ?? m.Node).Output.Uses.Any(static u => u.Node.Is("Gelu")));

    /// <summary>Whether a graph is of Gemma 2 or 3, which normalise before and after attention and MLP.</summary>
    public static bool IsGemma2(Graph graph) => IsGemma(graph) && HasNorm(graph, DefaultTargets.NormBeforeMlp);

    private static DecoderFamily Family => DecoderFamilies.Gated;

    private static bool HasBias(Graph graph, string ending) =>
        Layers(graph, ending) is { Length: > 0 } layers && layers.All(static m => m.Bias is not null);

    private static LinearModule[] Layers(Graph graph, string ending) =>
        [.. ModuleCatalogue.LinearModules(graph).Where(m => TargetSelector.EndsWith(m.Name, ending))];

    private static bool HasNorm(Graph graph, string name) =>
        VectorCatalogue.NormVectors(graph).Any(v => TargetSelector.EndsWith(v.Module, name));
}
