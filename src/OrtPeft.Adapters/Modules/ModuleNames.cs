using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Recovers a layer's path in the source model: from its weight's name where exporters keep it, from the node's scope
/// (<c>/transformer/h.0/attn/c_attn/Gemm</c>), from its bias, and last from the node itself.
/// </summary>
internal static class ModuleNames
{
    /// <summary>
    /// What a head is called that has no weight of its own; HF's name in every causal language model.
    /// </summary>
    public const string TiedHead = "lm_head";

    /// <summary>What ONNX Runtime's optimiser appends to a <c>MatMul</c>'s name when it makes a <c>Gemm</c> of
    /// it.</summary>
    private const string FusionMark = "MatMulAddFusion";

    private const string WeightSuffix = ".weight";
    private const string BiasSuffix = ".bias";

    public static string Of(Node node, Value weight, Value? bias) =>
        ParameterNames.Canonical(Found(node, weight, bias));

    private static string Found(Node node, Value weight, Value? bias)
    {
        var weightIsItsOwn = weight.Uses.Count == 1;
        if (weightIsItsOwn && Stem(weight.Name, WeightSuffix) is { } fromWeight)
            return fromWeight;
        if (Scope(node.Name) is { } fromScope)
            return fromScope;
        if (bias is not null && Stem(bias.Name, BiasSuffix) is { } fromBias)
            return fromBias;
        return Stem(weight.Name, WeightSuffix) ?? (node.Name.Length > 0 ? node.Name : node.Output.Name);
    }

    /// <summary>The module that a node was exported from, by its name; null when the name tells none.</summary>
    public static string? Scope(string nodeName)
    {
        var segments = nodeName.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var fusion = Array.FindIndex(segments, static s => s.StartsWith(FusionMark, StringComparison.Ordinal));
        if (fusion > 0)
            segments = segments[..fusion];
        return nodeName.StartsWith('/') && segments.Length >= 2 ? string.Join('.', segments[..^1]) : null;
    }

    private static string? Stem(string name, string suffix) =>
        name.EndsWith(suffix, StringComparison.Ordinal) ? name[..^suffix.Length] : null;
}
