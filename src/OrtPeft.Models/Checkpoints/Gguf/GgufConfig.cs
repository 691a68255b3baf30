using System.Text.Json.Nodes;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>Writes HF's <c>config.json</c> of a file's metadata.</summary>
internal sealed class GgufConfig(GgufFile file, GgufFields fields, GgufArchitecture architecture)
{
    /// <summary>llama.cpp takes the root of another number in Gemma's largest models, which it knows by their
    /// layers.</summary>
    private static readonly (string Architecture, int Layers)[] LargestGemmas = [("gemma2", 46), ("gemma3", 62)];

    private readonly int _heads = fields.Needed(fields.Own("attention.head_count"));
    private readonly int _width = fields.Needed(fields.Own("embedding_length"));
    private readonly int _layers = fields.Needed(fields.Own("block_count"));

    private int HeadSize => fields.Count(fields.Own("attention.key_length")) ?? _width / _heads;

    private int Positions => fields.Needed(fields.Own("context_length"));

    /// <summary>Heads of queries and of keys.</summary>
    public (int Queries, int Keys) Heads => (_heads, fields.Count(fields.Own("attention.head_count_kv")) ?? _heads);

    /// <summary>The description.</summary>
    public JsonObject ToJson()
    {
        Refuse();
        var (heads, groups) = Heads;
        var json = new JsonObject
        {
            ["model_type"] = architecture.ModelType,
            ["vocab_size"] = VocabularySize(),
            ["max_position_embeddings"] = Positions,
            ["hidden_size"] = _width,
            ["intermediate_size"] = fields.Needed(fields.Own("feed_forward_length")),
            ["num_hidden_layers"] = _layers,
            ["num_attention_heads"] = heads,
            ["num_key_value_heads"] = groups,
            ["head_dim"] = HeadSize,
            ["rms_norm_eps"] = fields.Number(fields.Own("attention.layer_norm_rms_epsilon"))
                ?? throw fields.Broken($"lacks {fields.Own("attention.layer_norm_rms_epsilon")}"),
            ["rope_theta"] = fields.Number(fields.Own("rope.freq_base")) ?? 10_000,
            ["tie_word_embeddings"] = !file.Tensors.ContainsKey("output.weight"),
            ["bos_token_id"] = fields.Id("tokenizer.ggml.bos_token_id"),
            ["eos_token_id"] = fields.Id("tokenizer.ggml.eos_token_id"),
        };
        AddScaling(json);
        AddOwn(json);
        return json;
    }

    private int VocabularySize() => file.Tensors.TryGetValue("token_embd.weight", out var embedding)
        && embedding.Dims is [var rows and > 0 and <= int.MaxValue, _]
            ? (int)rows
            : throw fields.Broken("lacks the matrix token_embd.weight");

    private void Refuse()
    {
        GgufKeys.RefuseUnknown(fields);
        if (!architecture.HasExperts && fields.Count(fields.Own("expert_count")) is not null and var experts)
            throw fields.Refused($"{fields.Own("expert_count")} is {experts}; {architecture.ModelType} has no experts, take HF's folder");
        var values = fields.Count(fields.Own("attention.value_length")) ?? HeadSize;
        if (values != HeadSize)
            throw fields.Refused($"{fields.Own("attention.value_length")} is {values}; it must be that of keys, {HeadSize}");
        var turned = fields.Count(fields.Own("rope.dimension_count")) ?? HeadSize;
        if (turned != HeadSize && architecture.ModelType != "phi3")
            throw fields.Refused($"{fields.Own("rope.dimension_count")} is {turned}; it must be a head's {HeadSize}");
        var window = fields.Count(fields.Own("attention.sliding_window")) ?? Positions;
        if (window < Positions && !(fields.Architecture == "phi3" || fields.Architecture.StartsWith("gemma", StringComparison.Ordinal)))
            throw fields.Refused($"{fields.Own("attention.sliding_window")} is {window}, and the file does not tell the layers "
                + "that have it; take HF's folder");
    }

    /// <summary>Where a file gives a factor and no kind, llama.cpp takes it as linear.</summary>
    private void AddScaling(JsonObject json)
    {
        var factor = fields.Number(fields.Own("rope.scaling.factor")) ?? fields.Number(fields.Own("rope.scale_linear")) ?? 0;
        var type = fields.Text(fields.Own("rope.scaling.type")) ?? (factor is 0 or 1 ? "none" : "linear");
        var original = fields.Count(fields.Own("rope.scaling.original_context_length"));
        var attention = fields.Number(fields.Own("rope.scaling.attn_factor")) ?? 1;
        if (file.Tensors.ContainsKey("rope_factors_short.weight") || (architecture.ModelType == "phi3" && type is "none" or "longrope"))
            AddLongRope(json, original);
        else if (attention != 1)
            throw fields.Refused($"{fields.Own("rope.scaling.attn_factor")} is {fields.Shown(fields.Own("rope.scaling.attn_factor"))}, "
                + "which is not read; take HF's folder");
        else if (type == "none" && file.Tensors.TryGetValue("rope_freqs.weight", out var divisors))
            json["rope_scaling"] = Divisors(divisors);
        else if (type == "linear" && !file.Tensors.ContainsKey("rope_freqs.weight"))
            json["rope_scaling"] = new JsonObject { ["rope_type"] = "linear", ["factor"] = factor };
        else if (type == "yarn")
            json["rope_scaling"] = new JsonObject
            {
                ["rope_type"] = "yarn",
                ["factor"] = factor,
                ["original_max_position_embeddings"] = original,
                ["beta_fast"] = fields.Number(fields.Own("rope.scaling.yarn_beta_fast")),
                ["beta_slow"] = fields.Number(fields.Own("rope.scaling.yarn_beta_slow")),
            };
        else if (type != "none")
            throw fields.Refused($"{fields.Own("rope.scaling.type")} is '{type}', with fields that are not read; take HF's folder");
    }

    /// <summary>Phi-3's two lists of divisors.</summary>
    private void AddLongRope(JsonObject json, int? original)
    {
        var turned = fields.Count(fields.Own("rope.dimension_count")) ?? HeadSize;
        json["partial_rotary_factor"] = (double)turned / HeadSize;
        json["original_max_position_embeddings"] = original ?? Positions;
        if (file.Tensors.TryGetValue("rope_factors_short.weight", out var few)
            && file.Tensors.TryGetValue("rope_factors_long.weight", out var many))
        {
            json["rope_scaling"] = new JsonObject
            {
                ["rope_type"] = "longrope",
                ["short_factor"] = List(Numbers(few)),
                ["long_factor"] = List(Numbers(many)),
                ["attention_factor"] = fields.Number(fields.Own("rope.scaling.attn_factor")),
            };
        }
        else if (fields.Text(fields.Own("rope.scaling.type")) == "longrope")
            throw fields.Broken("lacks rope_factors_short.weight or rope_factors_long.weight, which longrope needs");
    }

    /// <summary>
    /// Llama 3's slower angles, of which the file has the divisors alone: Llama 3's own fields where they give these, else
    /// the same divisors for every length.
    /// </summary>
    private JsonObject Divisors(GgufTensor tensor)
    {
        const int Original = 8192;
        var given = Numbers(tensor);
        foreach (var factor in (double[])[8, 32])
        {
            if (given.Select((divisor, i) => Math.Abs(divisor - Llama3(factor, i))).All(static d => d < 1e-4))
            {
                return new JsonObject
                {
                    ["rope_type"] = "llama3",
                    ["factor"] = factor,
                    ["low_freq_factor"] = 1.0,
                    ["high_freq_factor"] = 4.0,
                    ["original_max_position_embeddings"] = Original,
                };
            }
        }

        return new JsonObject
        {
            ["rope_type"] = "longrope",
            ["short_factor"] = List(given),
            ["long_factor"] = List(given),
            ["attention_factor"] = 1.0,
            ["original_max_position_embeddings"] = Positions,
        };

        double Llama3(double factor, int pair)
        {
            const double Low = 1;
            const double High = 4;
            var theta = fields.Number(fields.Own("rope.freq_base")) ?? 10_000;
            var turns = Original * Math.Pow(theta, -2.0 * pair / HeadSize) / (2 * Math.PI);
            if (turns > High)
                return 1;
            var part = Math.Max(0, (turns - Low) / (High - Low));
            return 1 / (((1 - part) / factor) + part);
        }
    }

    private void AddOwn(JsonObject json)
    {
        switch (fields.Architecture)
        {
            case "llama" when architecture.HasExperts:
                json["num_local_experts"] = fields.Needed(fields.Own("expert_count"));
                json["num_experts_per_tok"] = fields.Needed(fields.Own("expert_used_count"));
                break;
            case "llama" or "granite" or "smollm3":
                json["attention_bias"] = HasBias("attn_q");
                json["mlp_bias"] = HasBias("ffn_gate");
                AddGranites(json);
                break;
            case "qwen3" or "olmo2":
                json["attention_bias"] = HasBias("attn_q");
                break;
            case "qwen2moe" or "qwen3moe":
                AddExperts(json);
                break;
            case "gemma":
                json["hidden_act"] = "gelu_pytorch_tanh";
                break;
            case "gemma2" or "gemma3":
                json["query_pre_attn_scalar"] = LargestGemmas.Contains((fields.Architecture, _layers)) ? _width / _heads : HeadSize;
                json["attn_logit_softcapping"] = fields.Number(fields.Own("attn_logit_softcapping"));
                json["final_logit_softcapping"] = fields.Number(fields.Own("final_logit_softcapping"));
                json["sliding_window"] = fields.Needed(fields.Own("attention.sliding_window"));
                if (fields.Architecture == "gemma3")
                {
                    json["rope_local_base_freq"] = fields.Number(fields.Own("rope.freq_base_swa")) ?? 10_000;
                    json["sliding_window_pattern"] = fields.Count(fields.Own("attention.sliding_window_pattern"));
                }

                break;
            case "phi3" when fields.Number(fields.Own("attention.sliding_window")) is > 0 and var window:
                json["sliding_window"] = (int)window;
                break;
        }
    }

    /// <summary>Factors that llama.cpp takes as 1 where they are 0 or missing, but the one of scores.</summary>
    private void AddGranites(JsonObject json)
    {
        if (fields.Architecture != "granite")
            return;
        json["attention_multiplier"] = NotZero("attention.scale") ?? 1 / Math.Sqrt(HeadSize);
        json["embedding_multiplier"] = NotZero("embedding_scale") ?? 1;
        json["residual_multiplier"] = NotZero("residual_scale") ?? 1;
        json["logits_scaling"] = NotZero("logit_scale") ?? throw fields.Broken($"lacks {fields.Own("logit_scale")}");
    }

    /// <summary>llama.cpp makes what a token's experts count add up to 1 in Qwen 3, and not in Qwen 2.</summary>
    private void AddExperts(JsonObject json)
    {
        var (inner, used) = (fields.Needed(fields.Own("feed_forward_length")), fields.Needed(fields.Own("expert_used_count")));
        json["num_experts"] = fields.Needed(fields.Own("expert_count"));
        json["num_experts_per_tok"] = used;
        json["moe_intermediate_size"] = fields.Count(fields.Own("expert_feed_forward_length")) ?? inner / used;
        json["norm_topk_prob"] = fields.Architecture == "qwen3moe";
        json[fields.Architecture == "qwen3moe" ? "attention_bias" : "qkv_bias"] = HasBias("attn_q");
        if (fields.Architecture == "qwen2moe")
            json["shared_expert_intermediate_size"] = fields.Count(fields.Own("expert_shared_feed_forward_length")) ?? inner;
    }

    private bool HasBias(string module) => file.Tensors.ContainsKey($"blk.0.{module}.bias");

    private double? NotZero(string name) => fields.Number(fields.Own(name)) is not null and not 0 and var number ? number : null;

    private static float[] Numbers(GgufTensor tensor) => tensor.ToTensor("").Widened().ToFloat32();

    private static JsonArray List(float[] numbers) => new([.. numbers.Select(static n => (JsonNode)(double)n)]);
}
