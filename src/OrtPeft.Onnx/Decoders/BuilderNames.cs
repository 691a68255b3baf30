using System.Globalization;
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
    /// <summary>Families whose names are not those of Llama; the first that fits counts.</summary>
    private static readonly Dialect[] Dialects =
    [
        new("phi3small")
        {
            Names = [("self_attn.o_proj", "self_attn.dense"), ("norm", "final_layernorm")],
            NotInHf = ["q_proj", "k_proj", "v_proj"], // parts of query_key_value, group by group
        },
        new("phi3", "phi3v", "phi4mm", "phi4") { PackedInHf = ["qkv_proj", "gate_up_proj"] },
        new("phi")
        {
            Evidence = ".mlp.fc1",
            Names = [("self_attn.o_proj", "self_attn.dense"), ("norm", "final_layernorm")],
        },
        new("lfm2")
        {
            Evidence = ".operator_layernorm",
            Names =
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
            ],
        },
        new("hunyuandensev1", "hunyuan_v1_dense")
        {
            Names = [("self_attn.q_norm", "self_attn.query_layernorm"), ("self_attn.k_norm", "self_attn.key_layernorm")],
        },
        new("granitemoehybrid")
        {
            Names = [("mlp.gate_up_proj", "shared_mlp.input_linear"), ("mlp.down_proj", "shared_mlp.output_linear")],
            PackedInHf = ["gate_up_proj"],
        },
        new("gptoss", "gpt_oss")
        {
            Evidence = ".moe.router",
            Names = [("moe.router", "mlp.router"), ("moe.experts", "mlp.experts")],
        },
        new("internlm2")
        {
            Names =
            [
                ("self_attn.o_proj", "attention.wo"),
                ("self_attn.q_proj", "attention.q_proj"),
                ("self_attn.k_proj", "attention.k_proj"),
                ("self_attn.v_proj", "attention.v_proj"),
                ("mlp.gate_proj", "feed_forward.w1"),
                ("mlp.up_proj", "feed_forward.w3"),
                ("mlp.down_proj", "feed_forward.w2"),
                ("input_layernorm", "attention_norm"),
                ("post_attention_layernorm", "ffn_norm"),
            ],
            Embedding = "model.tok_embeddings",
            Head = "output",
            NotInHf = ["q_proj", "k_proj", "v_proj"], // parts of wqkv, group by group
        },
        new("chatglm", "chatglmmodel")
        {
            Names =
            [
                ("self_attn.qkv_proj", "self_attention.query_key_value"),
                ("self_attn.o_proj", "self_attention.dense"),
                ("mlp.gate_up_proj", "mlp.dense_h_to_4h"),
                ("mlp.down_proj", "mlp.dense_4h_to_h"),
                ("norm", "final_layernorm"),
            ],
            Embedding = "transformer.embedding.word_embeddings",
            Root = "transformer.encoder",
            Head = "transformer.output_layer",
            PackedInHf = ["qkv_proj", "gate_up_proj"],
        },
    ];

    private static readonly Dialect Llama = new();

    private readonly Dialect _dialect;

    private BuilderNames(Dialect dialect) => _dialect = dialect;

    /// <summary>The names of packed layers, and those of their parts in order.</summary>
    public static IReadOnlyList<(string Packed, IReadOnlyList<string> Parts)> PackedLayers { get; } =
    [
        ("qkv_proj", ["q_proj", "k_proj", "v_proj"]),
        ("gate_up_proj", ["gate_proj", "up_proj"]),
    ];

    /// <summary>The name of a part of a packed layer.</summary>
    /// <param name="packed">The layer's path, such as <c>model.layers.0.mlp.gate_up_proj</c>.</param>
    /// <param name="index">The part's number, from 0.</param>
    /// <returns>Such as <c>model.layers.0.mlp.gate_proj</c>; of a layer that has another name in HF's model, its path with
    /// the number.</returns>
    public static string PartOf(string packed, int index)
    {
        ArgumentNullException.ThrowIfNull(packed);
        var end = packed.LastIndexOf('.') + 1;
        return PackedLayers.FirstOrDefault(l => l.Packed == packed[end..]).Parts is { } parts
            ? packed[..end] + parts[index]
            : string.Create(CultureInfo.InvariantCulture, $"{packed}.{index}");
    }

    /// <summary>The family that a graph was built for, by what stands beside it; null where nothing tells.</summary>
    /// <param name="model">The graph's model.</param>
    public static string? FamilyOf(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Metadata.GetValueOrDefault(MetadataKeys.BuilderType)
            ?? model.Metadata.GetValueOrDefault(MetadataKeys.ModelType);
    }

    /// <summary>Whether the builder made a graph, and nothing tells of which family.</summary>
    /// <param name="model">The graph, with what is known of its family.</param>
    public static bool IsOfUnknownFamily(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return FamilyOf(model) is null && Of(model.Graph) is not null;
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
        var dialect = graph.Family is { } family
            ? Dialects.FirstOrDefault(d => d.Families.Contains(family, StringComparer.OrdinalIgnoreCase))
            : null;
        return new BuilderNames(dialect
            ?? Dialects.FirstOrDefault(d => d.Evidence is { } sign && paths.Exists(p => p.Contains(sign, StringComparison.Ordinal)))
            ?? Llama);
    }

    /// <summary>Whether HF's models of the family have a packed layer packed too.</summary>
    /// <param name="packed">The builder's name of it, such as <c>qkv_proj</c>.</param>
    public bool IsPackedInHf(string packed) => _dialect.PackedInHf.Contains(packed);

    /// <summary>Whether a module that the builder made is none of HF's model, so that no adapter of HF PEFT fits
    /// it.</summary>
    /// <param name="module">Its path.</param>
    public bool IsNotInHf(string module) => _dialect.NotInHf.Contains(DecoderFamilies.Last(module));

    /// <summary>A module's or parameter's name in HF's model.</summary>
    /// <param name="path">Such as <c>model.layers.0.attn.o_proj.MatMul.weight</c>.</param>
    /// <returns>Such as <c>model.layers.0.self_attn.o_proj.weight</c>.</returns>
    public string ToHf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var plain = FinalNorm().Replace(Operator().Replace(Attention().Replace(path, ".self_attn."), ""), "model.norm");
        if (InDialect(plain, DecoderFamilies.Head, _dialect.Head, isAtStart: true) is { } head)
            return head;
        var named = _dialect.Names.Select(n => InDialect(plain, $".{n.Builder}", $".{n.Hf}"))
            .FirstOrDefault(static n => n is not null) ?? plain;
        return InDialect(named, "model.embed_tokens", _dialect.Embedding, isAtStart: true)
            ?? InDialect(named, "model", _dialect.Root, isAtStart: true)
            ?? named;
    }

    /// <summary>A path with the family's name for a part of it; null where it has no such part.</summary>
    private static string? InDialect(string path, string builder, string hf, bool isAtStart = false)
    {
        var at = isAtStart && !path.StartsWith(builder, StringComparison.Ordinal)
            ? -1
            : path.IndexOf(builder, StringComparison.Ordinal);
        var end = at + builder.Length;
        return at >= 0 && (end == path.Length || path[end] == '.') ? $"{path[..at]}{hf}{path[end..]}" : null;
    }

    /// <summary>A family's names where they are not Llama's.</summary>
    /// <param name="Families">What <c>genai_config.json</c> or <c>config.json</c> call it.</param>
    private sealed record Dialect(params string[] Families)
    {
        /// <summary>A part of a node's path that only this family has, where nothing beside the graph tells the
        /// family.</summary>
        public string? Evidence { get; init; }

        /// <summary>The builder's names and HF's.</summary>
        public (string Builder, string Hf)[] Names { get; init; } = [];

        /// <summary>HF's path of what holds the layers.</summary>
        public string Root { get; init; } = "model";

        /// <summary>HF's path of the table of tokens.</summary>
        public string Embedding { get; init; } = "model.embed_tokens";

        /// <summary>HF's path of the head.</summary>
        public string Head { get; init; } = DecoderFamilies.Head;

        /// <summary>The packed layers that HF's model has too.</summary>
        public string[] PackedInHf { get; init; } = [];

        /// <summary>The layers that HF's model does not have, since its own put their columns in another order.</summary>
        public string[] NotInHf { get; init; } = [];
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
