using System.Globalization;
using System.Text.RegularExpressions;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Recovers paths in the source model from names in a graph: those of parameters, with what quantisers append to them,
/// and the scopes in nodes' names, which may lack what the parameters' paths begin with.
/// </summary>
internal sealed partial class SourcePaths
{
    /// <summary>TensorFlow's spelling of the dot before a layer's number: <c>h_._0</c>.</summary>
    private const string NumberInTensorFlow = "_._";

    private readonly BuilderNames? _builder;
    private readonly HashSet<string> _containers = new(StringComparer.Ordinal);

    private SourcePaths(BuilderNames? builder) => _builder = builder;

    /// <summary>Looks at what a graph's parameters and nodes are called. Linear in their number.</summary>
    /// <param name="graph">The graph, in any form.</param>
    public static SourcePaths Of(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var paths = new SourcePaths(BuilderNames.Of(graph));
        foreach (var value in graph.Initializers)
        {
            if (paths.OfParameter(value.Name) is { } module && !Adapter().IsMatch(module))
                paths.AddContainersOf(module);
        }

        return paths;
    }

    /// <summary>A module's or parameter's path from the root of HF's model.</summary>
    /// <param name="path">A path with dots.</param>
    public string Canonical(string path) => ParameterNames.Canonical(_builder?.ToHf(path) ?? path);

    /// <summary>Whether a module is one that an exporter made and HF's model does not have.</summary>
    /// <param name="module">Its path.</param>
    public bool IsExportersOwn(string module) => _builder?.IsNotInHf(module) == true;

    /// <summary>The module that a weight or bias is of, by its own name.</summary>
    /// <param name="name">The parameter's name, such as <c>model.layers.0.mlp.up_proj.weight_quantized</c>.</param>
    /// <returns>Such as <c>model.layers.0.mlp.up_proj</c>, or null where the name is not a parameter's.</returns>
    public string? OfParameter(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var match = Parameter().Match(MergedDecoder.BareName(name));
        return match.Success ? Canonical(match.Groups[1].Value) : null;
    }

    /// <summary>The module that a node was exported from, by the scope in its name.</summary>
    /// <param name="node">The node's name, such as <c>/transformer/h.0/attn/c_attn/MatMul</c>.</param>
    /// <returns>Such as <c>transformer.h.0.attn.c_attn</c>; null where the name tells none.</returns>
    public string? OfScope(string node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var segments = node.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var end = Array.FindIndex(segments, 1 <= segments.Length ? 1 : 0, static s => Operation().IsMatch(s));
        var path = segments[..(end > 0 ? end : Math.Max(0, segments.Length - 1))];
        if (path.Length == 0 || !(node.StartsWith('/') || IsTensorFlows(path)))
            return null;
        var joined = TensorFlow().Replace(string.Join('.', path).Replace(NumberInTensorFlow, ".", StringComparison.Ordinal), "");
        return joined.Length == 0 ? null : WithPrefix(Canonical(joined));
    }

    /// <summary>Whether a path is that of something that holds modules, so that no one layer is meant.</summary>
    public bool IsContainer(string path) => _containers.Contains(path);

    /// <summary>TensorFlow's names begin with no slash; numbered layers tell them from others.</summary>
    private static bool IsTensorFlows(string[] path) => (path.Length > 2 && path[0] == "StatefulPartitionedCall")
        || path.Any(static s => s.Contains(NumberInTensorFlow, StringComparison.Ordinal));

    private void AddContainersOf(string module)
    {
        for (var dot = module.LastIndexOf('.'); dot > 0; dot = module.LastIndexOf('.', dot - 1))
        {
            if (!_containers.Add(module[..dot]))
                return;
        }
    }

    /// <summary>
    /// The part that the parameters' paths have before the numbered layers and scopes do not: exporters scope from the
    /// module whose <c>forward</c> they trace.
    /// </summary>
    private string WithPrefix(string path)
    {
        var segments = path.Split('.');
        var number = Array.FindIndex(
            segments, static s => int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out _));
        if (number <= 0)
            return path;
        var layer = string.Join('.', segments[..(number + 1)]);
        if (_containers.Contains(layer))
            return path;
        var longer = _containers.Where(c => c.EndsWith($".{layer}", StringComparison.Ordinal)).Take(2).ToArray();
        return longer is [var one] ? one[..^layer.Length] + path : path;
    }

    /// <summary>
    /// A parameter's name with what follows it where quantisers, optimisers and casts made something of it.
    /// </summary>
    [GeneratedRegex(
        @"^(.+?)\.(?:q?weight|bias)(?:[._](?:quant(?:ized)?|dequant(?:ized)?|DequantizeLinear(?:_Output)?|Q[0-9]+(?:G[0-9]+)?"
        + @"|transposed|fp16|float16|bf16|bfloat16|fp32|float|cast|int8|int4|T(?:_\w+)?|[0-9]+))*(?:/[\w/:]*)?$",
        RegexOptions.CultureInvariant)]
    private static partial Regex Parameter();

    /// <summary>The names that adapters put into the modules that they are on.</summary>
    [GeneratedRegex(@"\.(?:lora_\w+|base_layer|adapter_\w+)(?:\.|$)", RegexOptions.CultureInvariant)]
    private static partial Regex Adapter();

    /// <summary>A name's part that is an operation's, with what optimisers and quantisers append.</summary>
    [GeneratedRegex(
        @"^(?:Fused|Q?Linear|Dynamic\w*)?(?:MatMul|Gemm|Conv|Einsum|Tensordot)(?:NBits|Integer(?:ToFloat)?|Bnb4|FpQ4)?"
        + @"(?:_[0-9]+)*(?:[._]\w+)?$|Fusion\b|Fusion_",
        RegexOptions.CultureInvariant)]
    private static partial Regex Operation();

    /// <summary>The prefixes that TensorFlow's exporters put before HF's names.</summary>
    [GeneratedRegex(@"^StatefulPartitionedCall\.(?:tf_\w+\.)?", RegexOptions.CultureInvariant)]
    private static partial Regex TensorFlow();
}
