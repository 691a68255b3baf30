using System.Text.RegularExpressions;

namespace OrtPeft.Onnx.Decoders;

/// <summary>
/// The names of modules in graphs of ONNX Runtime GenAI's builder, and HF's for them:
/// <c>model.layers.0.attn.o_proj.MatMul</c> is <c>model.layers.0.self_attn.o_proj</c>. The builder has one set of names
/// for all families.
/// </summary>
/// <seealso href="https://github.com/microsoft/onnxruntime-genai/tree/main/src/python/py/models"/>
internal sealed partial class BuilderNames
{
    /// <summary>Families whose names are not those of Llama: what tells them, and how the names differ.</summary>
    private static readonly (string Evidence, (string Builder, string Hf)[] Names)[] Dialects =
    [
        (".mlp.fc1", // Phi 1 and 2
        [
            ("self_attn.o_proj", "self_attn.dense"),
            ("norm", "final_layernorm"),
        ]),
        (".operator_layernorm", // LFM2
        [
            ("self_attn.o_proj", "self_attn.out_proj"),
            ("self_attn.q_norm", "self_attn.q_layernorm"),
            ("self_attn.k_norm", "self_attn.k_layernorm"),
            ("mlp.gate_proj", "feed_forward.w1"),
            ("mlp.up_proj", "feed_forward.w3"),
            ("mlp.down_proj", "feed_forward.w2"),
            ("operator_layernorm", "operator_norm"),
            ("ffn_layernorm", "ffn_norm"),
            ("norm", "embedding_norm"),
        ]),
    ];

    /// <summary>Families that have the packed layers in HF's models too.</summary>
    private static readonly string[] PackedInHf = ["phi3", "phi4"];

    private readonly (string Builder, string Hf)[] _dialect;

    private BuilderNames((string Builder, string Hf)[] dialect) => _dialect = dialect;

    /// <summary>The names of packed layers, and those of their parts in order.</summary>
    public static IReadOnlyList<(string Packed, IReadOnlyList<string> Parts)> PackedLayers { get; } =
    [
        ("qkv_proj", ["q_proj", "k_proj", "v_proj"]),
        ("gate_up_proj", ["gate_proj", "up_proj"]),
    ];

    /// <summary>The name of a part of a packed layer.</summary>
    /// <param name="packed">The layer's path, such as <c>model.layers.0.mlp.gate_up_proj</c>.</param>
    /// <param name="index">The part's number, from 0.</param>
    /// <returns>Such as <c>model.layers.0.mlp.gate_proj</c>.</returns>
    public static string PartOf(string packed, int index)
    {
        ArgumentNullException.ThrowIfNull(packed);
        var end = packed.LastIndexOf('.') + 1;
        return packed[..end] + PackedLayers.First(l => l.Packed == packed[end..]).Parts[index];
    }

    /// <summary>Whether HF's models of a family pack these layers too.</summary>
    /// <param name="model">The graph, with what is known of its family.</param>
    public static bool IsPackedInHf(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var type = model.Metadata.GetValueOrDefault(MetadataKeys.BuilderType)
            ?? model.Metadata.GetValueOrDefault(MetadataKeys.ModelType, "");
        return PackedInHf.Any(family => type.StartsWith(family, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Whether the builder made a graph, and nothing tells of which family.</summary>
    /// <param name="model">The graph, with what is known of its family.</param>
    public static bool IsOfUnknownFamily(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return !model.Metadata.ContainsKey(MetadataKeys.BuilderType) && !model.Metadata.ContainsKey(MetadataKeys.ModelType)
            && Of(model.Graph) is not null;
    }

    /// <summary>Finds out whether the builder made a graph.</summary>
    /// <param name="graph">The graph; its nodes keep their names in canonical form.</param>
    /// <returns>Its names, or null.</returns>
    public static BuilderNames? Of(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var paths = graph.Nodes.Select(static n => n.Name).Where(static n => n.StartsWith("/model/layers.", StringComparison.Ordinal))
            .Select(static n => n.Replace('/', '.')).ToList();
        if (!paths.Exists(static p => BuildersAttention().IsMatch(p)))
            return null;
        var dialect = Dialects.FirstOrDefault(d => paths.Exists(p => p.Contains(d.Evidence, StringComparison.Ordinal)));
        return new BuilderNames(dialect.Names ?? []);
    }

    /// <summary>A module's or parameter's name in HF's model.</summary>
    /// <param name="path">Such as <c>model.layers.0.attn.o_proj.MatMul.weight</c>.</param>
    /// <returns>Such as <c>model.layers.0.self_attn.o_proj.weight</c>.</returns>
    public string ToHf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var plain = FinalNorm().Replace(Operator().Replace(Attention().Replace(path, ".self_attn."), ""), "model.norm");
        foreach (var (builder, hf) in _dialect)
        {
            var (at, end) = (plain.IndexOf($".{builder}", StringComparison.Ordinal), plain.Length);
            if (at >= 0 && (at + builder.Length + 1 == end || plain[at + builder.Length + 1] == '.'))
                return $"{plain[..(at + 1)]}{hf}{plain[(at + builder.Length + 1)..]}";
        }

        return plain;
    }

    [GeneratedRegex(@"^\.model\.layers\.[0-9]+\.attn\.", RegexOptions.CultureInvariant)]
    private static partial Regex BuildersAttention();

    [GeneratedRegex(@"(?<=^model\.layers\.[0-9]+)\.attn\.", RegexOptions.CultureInvariant)]
    private static partial Regex Attention();

    /// <summary>The operator that a parameter is for.</summary>
    [GeneratedRegex(@"\.(MatMul|Add|layernorm)(?=$|\.(weight|bias))", RegexOptions.CultureInvariant)]
    private static partial Regex Operator();

    [GeneratedRegex(@"^model\.layers\.[0-9]+\.final_norm_layernorm", RegexOptions.CultureInvariant)]
    private static partial Regex FinalNorm();
}
