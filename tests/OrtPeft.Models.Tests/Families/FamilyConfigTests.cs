using OrtPeft.Models.Initialization;
using OrtPeft.Models.Llama;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Tests.Families;

/// <summary>Fields of each family as transformers 5 reads them.</summary>
public sealed class FamilyConfigTests
{
    [Theory]
    [InlineData("mistral", "", 4096, "0 1 2")]
    [InlineData("mistral", "\"sliding_window\":null", 0, "")]
    [InlineData("mistral", "\"sliding_window\":7,\"layer_types\":[\"full_attention\"]", 7, "0 1 2")]
    [InlineData("phi3", "", 0, "")]
    [InlineData("phi3", "\"sliding_window\":5", 5, "0 1 2")]
    [InlineData("qwen3", "\"sliding_window\":5,\"max_window_layers\":1", 0, "")]
    [InlineData("qwen3", "\"use_sliding_window\":true,\"sliding_window\":5,\"max_window_layers\":1", 5, "1 2")]
    [InlineData("gemma2", "", 4096, "0 2")]
    [InlineData("gemma2", "\"layer_types\":[\"full_attention\",\"full_attention\",\"sliding_attention\"]", 4096, "2")]
    [InlineData("gemma3_text", "\"sliding_window\":9", 9, "0 1 2")]
    [InlineData("gemma3_text", "\"sliding_window_pattern\":2", 4096, "0 2")]
    [InlineData("smollm3", "\"sliding_window\":5", 0, "")]
    [InlineData("smollm3", "\"use_sliding_window\":true,\"sliding_window\":5,\"no_rope_layers\":[1,0,1]", 5, "1")]
    [InlineData("smollm3", "\"use_sliding_window\":true,\"no_rope_layers\":[1,0,1]", 0, "")]
    [InlineData(
        "smollm3",
        "\"sliding_window\":5,\"layer_types\":[\"full_attention\",\"full_attention\",\"sliding_attention\"]", 5, "2")]
    public void Read_GivesWindowsAsHf(string type, string fields, int size, string layers)
    {
        var config = Read(type, fields);

        var windowed = Enumerable.Range(0, 3).Where(i => config.SlidingWindow?.IsIn(i) == true);
        Assert.Equal((size, layers), (config.SlidingWindow?.Size ?? 0, string.Join(' ', windowed)));
    }

    [Theory]
    [InlineData("gemma2", "\"sliding_window\":null", "layer_types is 'sliding_attention' in layer 0")]
    [InlineData("gemma2", "\"use_bidirectional_attention\":true", "use_bidirectional_attention is true")]
    [InlineData("gemma3_text", "\"use_bidirectional_attention\":true", "use_bidirectional_attention is true")]
    [InlineData("gemma2", "\"final_logit_softcapping\":0", "final_logit_softcapping is 0")]
    [InlineData("gemma2", "\"query_pre_attn_scalar\":0", "query_pre_attn_scalar is 0")]
    [InlineData("gemma3_text", "\"rope_parameters\":{\"factor\":2}", "rope_parameters.factor is 2")]
    [InlineData("granite", "\"logits_scaling\":0", "logits_scaling is 0")]
    [InlineData("smollm3", "\"no_rope_layers\":[1,0]", "no_rope_layers is a list of 2")]
    [InlineData("smollm3", "\"no_rope_layers\":[1,0,-1]", "no_rope_layers is [1,0,-1]")]
    [InlineData("phi3", "\"rope_scaling\":{\"type\":\"linear\",\"factor\":2}", "rope_scaling.type is 'linear'")]
    [InlineData("phi3", "\"partial_rotary_factor\":0", "partial_rotary_factor is 0")]
    [InlineData("phi3", "\"partial_rotary_factor\":0.3,\"head_dim\":10", "partial_rotary_factor is 0.3")]
    [InlineData(
        "phi3",
        "\"rope_scaling\":{\"type\":\"su\",\"long_factor\":[1],\"short_factor\":[1,2]},\"head_dim\":4",
        "rope_scaling.long_factor is a list of 1; allowed is one of 2")]
    [InlineData("phi3", "\"rope_scaling\":{\"type\":\"su\",\"short_factor\":[1]}", "rope_scaling.long_factor is missing")]
    [InlineData(
        "mistral",
        "\"rope_scaling\":{\"type\":\"longrope\",\"long_factor\":[1,0],\"short_factor\":[1,2]},\"head_dim\":4",
        "rope_scaling.long_factor is 0 at 1")]
    [InlineData("qwen3", "\"partial_rotary_factor\":0.5", "partial_rotary_factor is 0.5")]
    [InlineData("olmo2", "\"clip_qkv\":8", "clip_qkv is 8")]
    [InlineData("mistral", "\"attention_bias\":true", "attention_bias is true")]
    [InlineData("mistral", "\"hidden_act\":\"prelu\"", "hidden_act is 'prelu'")]
    [InlineData("gemma2", "\"hidden_activation\":\"prelu\"", "hidden_activation is 'prelu'")]
    public void Read_OfWhatCannotBeBuilt_IsRefusedByName(string type, string fields, string expected)
    {
        var error = Assert.Throws<ModelConfigException>(() => Read(type, fields));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfGemma3_TakesRotaryFieldsOfBothSpellings()
    {
        const string Linear = "\"rope_type\":\"linear\",\"factor\":8";
        var old = Read("gemma3_text", $"\"rope_theta\":5,\"rope_local_base_freq\":6,\"rope_scaling\":{{{Linear}}}");
        var current = Read(
            "gemma3_text",
            $"\"rope_parameters\":{{\"full_attention\":{{\"rope_theta\":5,{Linear}}},"
            + "\"sliding_attention\":{\"rope_theta\":6,\"rope_type\":\"default\"}}");
        var plain = Read("gemma3_text", "");

        Assert.Equal(old, current);
        Assert.Equal((5, "linear", 8, 6), (
            old.RopeTheta, old.RopeScaling!.Type, old.RopeScaling.Factor, old.LocalRopeTheta));
        Assert.Null(old.LocalRopeScaling);
        Assert.Equal((1e6f, 1e4f), (plain.RopeTheta, plain.LocalRopeTheta));
    }

    /// <summary>google/gemma-2-9b says it twice.</summary>
    [Fact]
    public void Read_OfGemma2_PassesOverTheWindowsOtherName() => Assert.Equal(
        4096, Read("gemma2", "\"sliding_window\":4096,\"sliding_window_size\":4096").SlidingWindow!.Size);

    [Theory]
    [InlineData("llama", "\"rope_scaling\":{\"type\":\"proportional\",\"partial_rotary_factor\":0.25,\"factor\":4}", 0.25, 4)]
    [InlineData("qwen3", "\"rope_parameters\":{\"rope_type\":\"proportional\",\"partial_rotary_factor\":0.5,\"rope_theta\":7}", 0.5, 1)]
    [InlineData("mistral", "\"rope_parameters\":{\"rope_type\":\"proportional\"}", 1, 1)]
    public void Read_OfProportionalAngles_TakesTheirPart(string type, string fields, double part, float factor)
    {
        var config = Read(type, fields);

        Assert.Equal(("proportional", part, factor), (config.RopeScaling!.Type, config.RopeScaling.Part, config.RopeScaling.Factor));
        Assert.Equal(1, config.RotaryPart);
        Assert.Throws<ModelConfigException>(() => Read("phi3", fields));
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("\"partial_rotary_factor\":0.5", 0.5)]
    [InlineData("\"partial_rotary_factor\":0.5,\"rope_parameters\":{\"partial_rotary_factor\":0.25}", 0.25)]
    public void Read_OfPhi3_TakesThePartThatTurns(string fields, double expected) =>
        Assert.Equal(expected, Read("phi3", fields).RotaryPart);

    /// <summary>The original length of Phi-3 is 4096 where the file has none, and beside the section first.</summary>
    [Theory]
    [InlineData("", 4096, 2)]
    [InlineData(",\"original_max_position_embeddings\":1024", 1024, 8)]
    public void Read_OfPhi3_TakesTheOriginalLength(string field, int expected, float factor)
    {
        const string Scaling =
            "\"rope_scaling\":{\"type\":\"su\",\"long_factor\":[3,4],\"short_factor\":[1,2],"
            + "\"original_max_position_embeddings\":77}";
        var config = Read("phi3", $"{Scaling},\"head_dim\":4,\"max_position_embeddings\":8192{field}");

        var scaling = config.RopeScaling!;
        Assert.Equal(("longrope", expected, factor), (scaling.Type, scaling.OriginalPositions, scaling.Factor));
        Assert.Equal(new RopeFactors(3, 4), scaling.LongFactors);
    }

    [Theory]
    [InlineData("", "3")]
    [InlineData("\"no_rope_layer_interval\":2", "1 3")]
    [InlineData("\"no_rope_layers\":[0,1,1,1,0]", "0")]
    [InlineData("\"no_rope_layers\":[1,1,1,1]", "")]
    public void Read_OfSmolLm3_KnowsTheLayersThatDoNotTurn(string fields, string expected)
    {
        var config = Read("smollm3", fields, layers: 4);

        Assert.Equal(expected, config.UnturnedLayers?.ToString() is { } layers ? layers.Replace(",", "", StringComparison.Ordinal) : "");
    }

    [Theory]
    [InlineData("mistral", 32000, 8, 128, 14336, 1e-6f, 1e4f, false)]
    [InlineData("qwen3", 151936, 32, 128, 22016, 1e-6f, 1e4f, false)]
    [InlineData("gemma", 256000, 16, 256, 24576, 1e-6f, 1e4f, true)]
    [InlineData("gemma2", 256000, 4, 256, 9216, 1e-6f, 1e4f, true)]
    [InlineData("gemma3_text", 262208, 4, 256, 9216, 1e-6f, 1e6f, true)]
    [InlineData("phi3", 32064, 32, 96, 8192, 1e-5f, 1e4f, false)]
    [InlineData("smollm3", 128256, 4, 128, 11008, 1e-6f, 2e6f, true)]
    [InlineData("granite", 32000, 32, 128, 11008, 1e-6f, 1e4f, false)]
    [InlineData("olmo2", 50304, 32, 128, 11008, 1e-5f, 1e4f, false)]
    public void Read_WhenFieldsAreAbsent_TakesHfsDefaults(
        string type, int vocabulary, int keyHeads, int headSize, int inner, float epsilon, float theta, bool isTied)
    {
        var config = Read(type, "");

        Assert.Equal(
            (vocabulary, keyHeads, headSize, inner, epsilon, theta, isTied),
            (config.VocabSize, config.CacheHeads, config.HeadSize, config.IntermediateSize, config.RmsNormEpsilon,
                config.RopeTheta, config.TieWordEmbeddings));
    }

    [Fact]
    public void Read_OfGemma2_TakesCapsAsHf()
    {
        var plain = Read("gemma2", "");
        var none = Read("gemma2", "\"attn_logit_softcapping\":null,\"final_logit_softcapping\":null");

        Assert.Equal((50f, 30f), (plain.ScoreSoftcap, plain.LogitsSoftcap));
        Assert.Equal((null, null), (none.ScoreSoftcap, none.LogitsSoftcap));
        Assert.Equal((1 / 16.0, 48f), (plain.ScoreMultiplier, plain.EmbeddingMultiplier));
        Assert.Null(Read("gemma3_text", "\"attn_logit_softcapping\":50").ScoreSoftcap);
        Assert.Equal(30f, Read("gemma3_text", "\"final_logit_softcapping\":30").LogitsSoftcap);
    }

    [Theory]
    [InlineData("opt", "\"hidden_size\":8,\"num_attention_heads\":3", "hidden_size is 8")]
    [InlineData("opt", "\"activation_function\":\"prelu\"", "activation_function is 'prelu'")]
    [InlineData("opt", "\"do_layer_norm_before\":1", "do_layer_norm_before is 1")]
    [InlineData("opt", "\"hidden_act\":\"gelu\"", "hidden_act is \"gelu\"")]
    [InlineData("phi", "\"num_key_value_heads\":5", "num_attention_heads is 32")]
    [InlineData("phi", "\"partial_rotary_factor\":0.01", "partial_rotary_factor is 0.01")]
    [InlineData("gpt_neox", "\"rotary_pct\":0.5,\"partial_rotary_factor\":0.25", "partial_rotary_factor is 0.25")]
    [InlineData("gpt_neox", "\"rope_theta\":5", "rope_theta is 5")]
    [InlineData("gpt_neox", "\"rotary_pct\":2", "partial_rotary_factor is 2")]
    [InlineData("gpt_neox", "\"layer_norm_eps\":0", "layer_norm_eps is 0")]
    public void Read_OfOneWithLayerNorm_WhenAFieldIsBad_IsRefusedByName(string type, string fields, string expected)
    {
        var error = Assert.Throws<ModelConfigException>(() => ReadAny(type, fields, 2));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mixtral", "\"num_local_experts\":4", 4, 2, 14336, true, "")]
    [InlineData("mixtral", "\"num_experts\":5,\"intermediate_size\":7", 5, 2, 7, true, "")]
    [InlineData("qwen2_moe", "", 60, 4, 1408, false, "")]
    [InlineData("qwen3_moe", "\"num_local_experts\":4,\"num_experts_per_tok\":3", 4, 3, 768, false, "")]
    [InlineData("qwen3_moe", "\"norm_topk_prob\":true,\"mlp_only_layers\":[1]", 128, 8, 768, true, "1")]
    [InlineData("qwen3_moe", "\"decoder_sparse_step\":2,\"moe_intermediate_size\":6", 128, 8, 6, false, "0, 2")]
    public void Read_OfMixtures_KnowsTheirExperts(
        string type, string fields, int count, int chosen, int inner, bool isNormalized, string dense)
    {
        var experts = Read(type, fields).Experts!;

        Assert.Equal(
            (count, chosen, inner, isNormalized, dense),
            (experts.Count, experts.PerToken, experts.InnerSize, experts.IsNormalized, $"{experts.DenseLayers}"));
    }

    [Theory]
    [InlineData("mixtral", "\"output_router_logits\":true", "output_router_logits is true")]
    [InlineData("mixtral", "\"num_local_experts\":4,\"num_experts\":5", "num_experts is 5")]
    [InlineData("mixtral", "\"num_local_experts\":2,\"num_experts_per_tok\":3", "num_experts_per_tok is 3")]
    [InlineData("qwen3_moe", "\"num_experts_per_tok\":0", "num_experts_per_tok is 0")]
    [InlineData("qwen3_moe", "\"mlp_only_layers\":[-1]", "mlp_only_layers is [-1]")]
    [InlineData("qwen3_moe", "\"decoder_sparse_step\":0", "decoder_sparse_step is 0")]
    [InlineData("qwen2_moe", "\"layer_types\":[\"sliding_attention\",\"full_attention\",\"full_attention\"]", "layer_types")]
    public void Read_OfBadMixtures_IsRefusedByName(string type, string fields, string expected) =>
        Read_OfWhatCannotBeBuilt_IsRefusedByName(type, fields, expected);

    [Fact]
    public void Read_OfMixturesWithoutExperts_HasMlps()
    {
        Assert.Null(Read("qwen3_moe", "\"num_experts\":0").Experts);
        Assert.Null(Read("qwen3_moe", "\"mlp_only_layers\":[0,1,2]").Experts);
        Assert.Equal(
            (4096, "0, 2"),
            Read("qwen2_moe", "\"use_sliding_window\":true").SlidingWindow is { } window
                ? (window.Size, $"{window.Layers}")
                : default);
    }

    /// <summary>Which weights there are tells what a field does; their shapes are checked against the file.</summary>
    [Theory]
    [InlineData("opt", "", "model.decoder.final_layer_norm.weight", true)]
    [InlineData("opt", "\"_remove_final_layer_norm\":true", "model.decoder.final_layer_norm.weight", false)]
    [InlineData("opt", "\"do_layer_norm_before\":false", "model.decoder.final_layer_norm.weight", false)]
    [InlineData("opt", "\"word_embed_proj_dim\":16", "model.decoder.project_out.weight", true)]
    [InlineData("opt", "\"word_embed_proj_dim\":768", "model.decoder.project_in.weight", false)]
    [InlineData("opt", "\"enable_bias\":false", "model.decoder.layers.0.fc1.bias", false)]
    [InlineData("opt", "\"enable_bias\":false", "model.decoder.layers.0.self_attn_layer_norm.bias", true)]
    [InlineData("opt", "\"layer_norm_elementwise_affine\":false", "model.decoder.layers.0.final_layer_norm.bias", false)]
    [InlineData("opt", "\"tie_word_embeddings\":false", "lm_head.weight", true)]
    [InlineData("phi", "", "lm_head.bias", true)]
    [InlineData("phi", "\"tie_word_embeddings\":true", "lm_head.weight", false)]
    [InlineData("phi", "\"tie_word_embeddings\":true", "lm_head.bias", true)]
    [InlineData("phi", "\"qk_layernorm\":true", "model.layers.1.self_attn.q_layernorm.bias", true)]
    [InlineData("gpt_neox", "", "embed_out.weight", true)]
    [InlineData("gpt_neox", "\"attention_bias\":false", "gpt_neox.layers.0.attention.dense.bias", false)]
    [InlineData("gpt_neox", "\"attention_bias\":false", "gpt_neox.layers.0.mlp.dense_4h_to_h.bias", true)]
    public void ToArchitecture_OfOneWithLayerNorm_HasTheFilesWeights(
        string type, string fields, string weight, bool isThere)
    {
        var weights = ReadAny(type, fields, 2).ToArchitecture().Weights;

        Assert.Equal(isThere, weights.Any(w => w.Name == weight));
    }

    /// <summary>Every form runs, with shapes that fit.</summary>
    [Theory]
    [InlineData("opt", "\"hidden_size\":8,\"num_attention_heads\":2,\"ffn_dim\":6")]
    [InlineData("opt", "\"hidden_size\":8,\"num_attention_heads\":2,\"ffn_dim\":6,\"word_embed_proj_dim\":4")]
    [InlineData(
        "opt",
        "\"hidden_size\":8,\"num_attention_heads\":2,\"ffn_dim\":6,\"do_layer_norm_before\":false,\"enable_bias\":false")]
    [InlineData(
        "opt", "\"hidden_size\":8,\"num_attention_heads\":2,\"ffn_dim\":6,\"layer_norm_elementwise_affine\":false")]
    [InlineData(
        "phi",
        "\"hidden_size\":16,\"num_attention_heads\":4,\"num_key_value_heads\":2,\"qk_layernorm\":true,"
        + "\"intermediate_size\":6")]
    [InlineData("gpt_neox", "\"hidden_size\":16,\"num_attention_heads\":2,\"use_parallel_residual\":false")]
    [InlineData("gpt_neox", "\"hidden_size\":16,\"num_attention_heads\":2,\"rotary_pct\":1,\"attention_bias\":false")]
    [InlineData("phi3", "\"hidden_size\":16,\"num_attention_heads\":4,\"num_key_value_heads\":2,\"head_dim\":8,"
        + "\"partial_rotary_factor\":0.75,\"intermediate_size\":6,\"sliding_window\":2")]
    [InlineData("gemma3_text", "\"hidden_size\":16,\"num_attention_heads\":4,\"num_key_value_heads\":1,\"head_dim\":4,"
        + "\"intermediate_size\":6,\"attention_bias\":true,\"final_logit_softcapping\":20")]
    [InlineData("gemma", "\"hidden_size\":16,\"num_attention_heads\":4,\"num_key_value_heads\":1,\"head_dim\":6,"
        + "\"intermediate_size\":6")]
    [InlineData("olmo2", "\"hidden_size\":16,\"num_attention_heads\":4,\"num_key_value_heads\":2,\"attention_bias\":true,"
        + "\"intermediate_size\":6")]
    [InlineData("qwen2_moe", "\"hidden_size\":16,\"num_attention_heads\":4,\"num_key_value_heads\":2,\"intermediate_size\":6,"
        + "\"moe_intermediate_size\":5,\"shared_expert_intermediate_size\":7,\"num_experts\":3,\"num_experts_per_tok\":2,"
        + "\"mlp_only_layers\":[1],\"qkv_bias\":false")]
    [InlineData("qwen3_moe", "\"hidden_size\":16,\"num_attention_heads\":4,\"num_key_value_heads\":2,\"intermediate_size\":6,"
        + "\"moe_intermediate_size\":5,\"num_experts\":3,\"num_experts_per_tok\":2,\"norm_topk_prob\":true")]
    public void ToArchitecture_OfEveryForm_Runs(string type, string fields)
    {
        var config = ReadAny(type, $"{fields},\"vocab_size\":30,\"max_position_embeddings\":16", 2);
        using var session = new OnnxSession(config.ToArchitecture().Build(ModelInitializer.CreateWeights(config, 3)));
        var feeds = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Tensor.Of<long>([3, 17, 0, 29], [1, 4]),
            ["attention_mask"] = Tensor.Of<long>([1, 1, 1, 1], [1, 4]),
            ["position_ids"] = Tensor.Of<long>([0, 1, 2, 3], [1, 4]),
        };
        foreach (var (name, shape) in session.Shapes.Where(static input => input.Key.StartsWith("past", StringComparison.Ordinal)))
            feeds[name] = Tensor.Of<float>([], [1, shape[1], 0, shape[3]]);

        var logits = session.Run(feeds, "logits")["logits"];

        Assert.Equal([1L, 4, 30], logits.Dims.AsEnumerable());
        Assert.All(logits.ToFloat32(), static value => Assert.True(float.IsFinite(value)));
    }

    /// <summary>The line says which export of such a model trains.</summary>
    [Theory]
    [InlineData("falcon", "optimum-cli export onnx --task text-generation-with-past --model ")]
    [InlineData("", "optimum-cli export onnx")]
    [InlineData("starcoder2", "torch.onnx.export(model, …, dynamo=True)")]
    [InlineData("bert", "which this one does not")]
    [InlineData("gemma3", "its part for texts")] // one without that part's fields
    [InlineData("llama4", "its part for texts", "\"text_config\":{}")]
    [InlineData("qwen2_vl", "its part for texts", "\"vision_config\":{}")]
    public void Read_OfAnotherFamily_SaysWhatWorks(string type, string expected, string fields = "")
    {
        var error = Assert.Throws<ModelConfigException>(() => Read(type, fields));

        Assert.Contains($"model_type is '{type}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private static LlamaConfig Read(string type, string fields, int layers = 3) =>
        (LlamaConfig)ReadAny(type, fields, layers);

    private static ModelConfig ReadAny(string type, string fields, int layers)
    {
        using var folder = new TemporaryFolder();
        var more = fields.Length == 0 ? "" : $",{fields}";
        File.WriteAllText(
            folder["config.json"], $$"""{"model_type":"{{type}}","num_hidden_layers":{{layers}}{{more}}}""");
        return ModelFamilies.Read(folder["config.json"]);
    }
}
