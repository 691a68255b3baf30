using System.Text.RegularExpressions;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Recovers a layer's path in the source model: from its weight's or bias's own name where exporters keep one, from the
/// node's scope (<c>/transformer/h.0/attn/c_attn/Gemm</c>), and last from the node itself.
/// </summary>
/// <param name="graph">The graph, in canonical form.</param>
internal sealed partial class ModuleNames(Graph graph)
{
    /// <summary>The name of a head that has no weight of its own.</summary>
    public const string TiedHead = DecoderFamilies.Head;

    private readonly SourcePaths _paths = SourcePaths.Of(graph);

    /// <summary>A layer's name.</summary>
    /// <returns>The path in the source model, or a stable name and false where nothing tells the path.</returns>
    public (string Name, bool IsSourcePath) Of(Node node, Value weight, Value? bias)
    {
        var scope = _paths.OfScope(node.Name);
        if (Found(scope, weight, bias) is { } path)
            return (path, !_paths.IsExportersOwn(path));
        var own = node.Name.Length > 0 ? node.Name : node.Output.Name;
        return (scope is null ? own.Trim('/').Replace('/', '.') : $"{scope}.{own[(own.LastIndexOf('/') + 1)..]}", false);
    }

    /// <summary>
    /// A head's name. Where an exporter stored the matrix of a tied head once, its name is the embedding's, and where
    /// it stored it folded it has none: then it is the head's role that names it.
    /// </summary>
    public (string Name, bool IsSourcePath) OfHead(Node node, Value weight, Value? bias, bool isTied)
    {
        if (_paths.OfScope(node.Name) is { } scope && DecoderFamilies.IsHead(scope))
            return (scope, true);
        var (name, isSourcePath) = Of(node, weight, bias);
        return isTied || !isSourcePath || DecoderFamilies.IsTokenEmbedding(name) ? (TiedHead, true) : (name, true);
    }

    /// <summary>
    /// An embedding's name. Where an exporter stored the matrix under the head's, it stands beside the layers, under
    /// the name that HF gives it there.
    /// </summary>
    public string OfEmbedding(Node node, Value weight)
    {
        var (name, _) = Of(node, weight, null);
        if (!DecoderFamilies.IsHead(name))
            return name;
        if (_paths.OfScope(node.Name) is { } scope && DecoderFamilies.IsTokenEmbedding(scope))
            return scope;
        var others = graph.Initializers.Select(static v => v.Name);
        var found = others.Select(static other => InLayers().Match(other)).FirstOrDefault(static m => m.Success);
        if (found is null)
            return name;
        var (root, container) = (found.Groups[1].Value, found.Groups[2].Value);
        var family = DecoderFamilies.All.FirstOrDefault(f => f.Layers == root + container)
            ?? DecoderFamilies.ByContainer(container)
            ?? DecoderFamilies.All[0];
        return root + family.TokenEmbedding[(family.TokenEmbedding.LastIndexOf('.') + 1)..];
    }

    /// <summary>The module that a node was exported from, by its name; null when the name tells none.</summary>
    public string? Scope(Node node) => _paths.OfScope(node.Name);

    /// <summary>A path up to the first container of numbered layers.</summary>
    [GeneratedRegex(@"^((?:[^.]+\.)*?)(h|layers|blocks)\.[0-9]+\.", RegexOptions.CultureInvariant)]
    private static partial Regex InLayers();

    /// <summary>A parameter that several layers read was stored once for all of them, under one's name.</summary>
    private string? Found(string? scope, Value weight, Value? bias)
    {
        var ofWeight = OfWeight(weight);
        var isOwn = weight.Uses.Count == 1;
        return (isOwn ? ofWeight : null)
            ?? (bias is { Uses.Count: 1 } ? _paths.OfParameter(bias.Name) : null)
            ?? (scope is null || _paths.IsContainer(scope) ? null : scope)
            ?? (bias is null ? null : _paths.OfParameter(bias.Name))
            ?? ofWeight;
    }

    /// <summary>By the weight's name, or by that of what a quantised one is made of.</summary>
    private string? OfWeight(Value weight) => _paths.OfParameter(weight.Name)
        ?? (weight.Producer?.Input(0) is { Initializer: not null } stored ? _paths.OfParameter(stored.Name) : null);
}
