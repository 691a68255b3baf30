using System.Text.RegularExpressions;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Recovers a layer's path in the source model: from its weight's name where exporters keep it, from the node's scope
/// (<c>/transformer/h.0/attn/c_attn/Gemm</c>), from its bias, and last from the node itself.
/// </summary>
internal static partial class ModuleNames
{
    /// <summary>What a head is called that has no weight of its own.</summary>
    public const string TiedHead = DecoderFamilies.Head;

    /// <summary>What ONNX Runtime's optimiser appends to a <c>MatMul</c>'s name when it makes a <c>Gemm</c> of
    /// it.</summary>
    private const string FusionMark = "MatMulAddFusion";

    /// <summary>What dynamo's exporter calls the node of a layer whose weight it folded.</summary>
    private const string AnonymousNode = "node_";

    private const string WeightSuffix = ".weight";
    private const string BiasSuffix = ".bias";

    public static string Of(Node node, Value weight, Value? bias) =>
        ParameterNames.Canonical(Found(node, weight, bias));

    /// <summary>
    /// A head's name. Where an exporter stored the matrix of a tied head once, its name is the embedding's, and where
    /// it stored it folded it has none: then it is the head's role that names it.
    /// </summary>
    public static string OfHead(Node node, Value weight, Value? bias, bool isTied)
    {
        var name = Of(node, weight, bias);
        var isNameless = name == node.Name && name.StartsWith(AnonymousNode, StringComparison.Ordinal);
        return isTied || isNameless || DecoderFamilies.IsTokenEmbedding(name) ? TiedHead : name;
    }

    /// <summary>
    /// An embedding's name. Where an exporter stored the matrix under the head's, it stands beside the layers, under
    /// the name that HF gives it there.
    /// </summary>
    public static string OfEmbedding(Node node, Value weight)
    {
        var name = Of(node, weight, null);
        if (!DecoderFamilies.IsHead(name))
            return name;
        var others = node.Graph?.Initializers.Select(static v => v.Name) ?? [];
        var found = others.Select(static other => InLayers().Match(other)).FirstOrDefault(static m => m.Success);
        if (found is null)
            return name;
        var (root, container) = (found.Groups[1].Value, found.Groups[2].Value);
        var family = DecoderFamilies.All.FirstOrDefault(f => f.Layers == root + container)
            ?? DecoderFamilies.ByContainer(container)
            ?? DecoderFamilies.All[0];
        return root + family.TokenEmbedding[(family.TokenEmbedding.LastIndexOf('.') + 1)..];
    }

    /// <summary>A path up to the first container of numbered layers.</summary>
    [GeneratedRegex(@"^((?:[^.]+\.)*?)(h|layers|blocks)\.[0-9]+\.", RegexOptions.CultureInvariant)]
    private static partial Regex InLayers();

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
