namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>An architecture of llama.cpp's files, in HF's terms.</summary>
/// <param name="ModelType">HF's <c>model_type</c>.</param>
/// <param name="Names">Module names that differ from Llama's, ggml's by HF's. A star in HF's stands for the numbers of the
/// experts, whose matrices ggml keeps in one tensor.</param>
internal sealed record GgufArchitecture(string ModelType, params (string Ggml, string Hf)[] Names)
{
    private static readonly (string Ggml, string Hf)[] Llamas =
    [
        ("attn_norm", "input_layernorm"),
        ("attn_q", "self_attn.q_proj"),
        ("attn_k", "self_attn.k_proj"),
        ("attn_v", "self_attn.v_proj"),
        ("attn_qkv", "self_attn.qkv_proj"),
        ("attn_output", "self_attn.o_proj"),
        ("attn_q_norm", "self_attn.q_norm"),
        ("attn_k_norm", "self_attn.k_norm"),
        ("ffn_norm", "post_attention_layernorm"),
        ("ffn_gate", "mlp.gate_proj"),
        ("ffn_up", "mlp.up_proj"),
        ("ffn_down", "mlp.down_proj"),
    ];

    private static readonly (string Ggml, string Hf)[] NormsAround =
    [
        ("post_attention_norm", "post_attention_layernorm"),
        ("ffn_norm", "pre_feedforward_layernorm"),
        ("post_ffw_norm", "post_feedforward_layernorm"),
    ];

    private static readonly (string Ggml, string Hf)[] NormsAfter =
        [("post_attention_norm", "post_attention_layernorm"), ("post_ffw_norm", "post_feedforward_layernorm")];

    private static readonly (string Ggml, string Hf)[] Mixtrals =
    [
        ("ffn_gate_inp", "block_sparse_moe.gate"),
        ("ffn_gate_exps", "block_sparse_moe.experts.*.w1"),
        ("ffn_up_exps", "block_sparse_moe.experts.*.w3"),
        ("ffn_down_exps", "block_sparse_moe.experts.*.w2"),
    ];

    private static readonly (string Ggml, string Hf)[] QwenMoes =
    [
        ("ffn_gate_inp", "mlp.gate"),
        ("ffn_gate_exps", "mlp.experts.*.gate_proj"),
        ("ffn_up_exps", "mlp.experts.*.up_proj"),
        ("ffn_down_exps", "mlp.experts.*.down_proj"),
        ("ffn_gate_inp_shexp", "mlp.shared_expert_gate"),
        ("ffn_gate_shexp", "mlp.shared_expert.gate_proj"),
        ("ffn_up_shexp", "mlp.shared_expert.up_proj"),
        ("ffn_down_shexp", "mlp.shared_expert.down_proj"),
    ];

    private static readonly GgufArchitecture Mixtral = new("mixtral", Mixtrals) { HasTurnedPairs = true, HasExperts = true };

    private static readonly (string Name, GgufArchitecture Row)[] Rows =
    [
        ("llama", new("llama") { HasTurnedPairs = true, IsWritten = true }),
        ("qwen2", new("qwen2") { IsWritten = true }),
        ("qwen3", new("qwen3") { IsWritten = true }),
        ("gemma", new("gemma") { NormsAreOneMore = true, IsWritten = true }),
        ("gemma2", new("gemma2", NormsAround) { NormsAreOneMore = true, IsWritten = true }),
        ("gemma3", new("gemma3_text", NormsAround) { NormsAreOneMore = true, IsWritten = true }),
        ("phi3", new("phi3", ("ffn_up", "mlp.gate_up_proj")) { IsWritten = true }),
        ("granite", new("granite") { HasTurnedPairs = true }),
        ("olmo2", new("olmo2", NormsAfter)),
        ("smollm3", new("smollm3") { HasTurnedPairs = true }),
        ("qwen2moe", new("qwen2_moe", QwenMoes) { HasExperts = true }),
        ("qwen3moe", new("qwen3_moe", QwenMoes) { HasExperts = true }),
    ];

    /// <summary>The architectures that are read.</summary>
    public static IEnumerable<string> Known => Rows.Select(static row => row.Name);

    /// <summary>The architectures that are written.</summary>
    public static IEnumerable<string> Written => Rows.Where(static row => row.Row.IsWritten).Select(static row => row.Name);

    /// <summary>Whether files are written of it, too.</summary>
    public bool IsWritten { get; init; }

    /// <summary>Whether its layers have experts.</summary>
    public bool HasExperts { get; init; }

    /// <summary>Whether the rows of queries and keys stand with the two numbers of a rotary pair side by side, where HF
    /// has all first ones before all second ones.</summary>
    public bool HasTurnedPairs { get; init; }

    /// <summary>Whether the scales of norms have had the 1 added that HF's models add to them.</summary>
    public bool NormsAreOneMore { get; init; }

    /// <summary>Finds an architecture.</summary>
    /// <param name="name">llama.cpp's name.</param>
    /// <param name="hasExperts">Whether the file has experts: of Llama's, it is Mixtral's then.</param>
    public static GgufArchitecture? Of(string name, bool hasExperts) =>
        name == "llama" && hasExperts ? Mixtral : Rows.FirstOrDefault(row => row.Name == name).Row;

    /// <summary>HF's name of a tensor; null where there is none.</summary>
    /// <param name="name">ggml's, such as <c>blk.0.attn_q.weight</c>.</param>
    public string? ToHf(string name)
    {
        var parts = name.Split('.');
        return parts switch
        {
            ["token_embd", "weight"] => "model.embed_tokens.weight",
            ["output_norm", "weight"] => "model.norm.weight",
            ["output", "weight"] => "lm_head.weight",
            ["blk", var layer, var module, ("weight" or "bias") and var kind]
                when int.TryParse(layer, System.Globalization.NumberStyles.None, null, out _)
                    && ModuleOf(module) is { } hf => $"model.layers.{layer}.{hf}.{kind}",
            _ => null,
        };
    }

    /// <summary>The architecture that HF's models of a type are written as, and its name; null where there is none.</summary>
    /// <param name="modelType">HF's <c>model_type</c>.</param>
    public static (string Name, GgufArchitecture Row)? OfHf(string modelType)
    {
        var type = modelType == "mistral" ? "llama" : modelType;
        return Rows.Where(row => row.Row.IsWritten && row.Row.ModelType == type).Select(static row => ((string, GgufArchitecture)?)row).FirstOrDefault();
    }

    /// <summary>ggml's name of a tensor; null where there is none.</summary>
    /// <param name="name">HF's, such as <c>model.layers.0.self_attn.q_proj.weight</c>.</param>
    public string? ToGgml(string name)
    {
        var parts = name.Split('.');
        return parts switch
        {
            ["model", "embed_tokens", "weight"] => "token_embd.weight",
            ["model", "norm", "weight"] => "output_norm.weight",
            ["lm_head", "weight"] => "output.weight",
            ["model", "layers", var layer, .. var module, ("weight" or "bias") and var kind]
                when GgmlOf(string.Join('.', module)) is { } ggml => $"blk.{layer}.{ggml}.{kind}",
            _ => null,
        };
    }

    private string? GgmlOf(string module) => Names.Concat(Llamas)
        .Where(row => row.Hf == module && ModuleOf(row.Ggml) == module).Select(static row => row.Ggml).FirstOrDefault();

    private string? ModuleOf(string module) =>
        Names.Concat(Llamas).Where(row => row.Ggml == module).Select(static row => row.Hf).FirstOrDefault();
}
