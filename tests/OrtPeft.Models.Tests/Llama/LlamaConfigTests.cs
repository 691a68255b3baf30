using OrtPeft.Models.Llama;
using OrtPeft.Models.Qwen2;

namespace OrtPeft.Models.Tests.Llama;

public sealed class LlamaConfigTests
{
    public static TheoryData<string> Configs => [.. SmallLlama.Configs.Keys];

    /// <summary>The published files, as they are but for fields that say nothing of the graph.</summary>
    public static TheoryData<string, string> Published => new()
    {
        {
            "llama-3.2-1b", """
            {"architectures":["LlamaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":128000,
            "eos_token_id":128001,"head_dim":64,"hidden_act":"silu","hidden_size":2048,"initializer_range":0.02,
            "intermediate_size":8192,"max_position_embeddings":131072,"mlp_bias":false,"model_type":"llama",
            "num_attention_heads":32,"num_hidden_layers":16,"num_key_value_heads":8,"pretraining_tp":1,
            "rms_norm_eps":1e-05,"rope_scaling":{"factor":32.0,"high_freq_factor":4.0,"low_freq_factor":1.0,
            "original_max_position_embeddings":8192,"rope_type":"llama3"},"rope_theta":500000.0,
            "tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.45.0.dev0","use_cache":true,
            "vocab_size":128256}
            """
        },
        {
            "tinyllama-1.1b", """
            {"architectures":["LlamaForCausalLM"],"bos_token_id":1,"eos_token_id":2,"hidden_act":"silu",
            "hidden_size":2048,"initializer_range":0.02,"intermediate_size":5632,"max_position_embeddings":2048,
            "model_type":"llama","num_attention_heads":32,"num_hidden_layers":22,"num_key_value_heads":4,
            "pretraining_tp":1,"rms_norm_eps":1e-05,"rope_scaling":null,"tie_word_embeddings":false,
            "torch_dtype":"float32","use_cache":true,"vocab_size":32000}
            """
        },
        {
            "qwen2.5-0.5b", """
            {"architectures":["Qwen2ForCausalLM"],"attention_dropout":0.0,"bos_token_id":151643,"eos_token_id":151643,
            "hidden_act":"silu","hidden_size":896,"initializer_range":0.02,"intermediate_size":4864,
            "max_position_embeddings":32768,"max_window_layers":24,"model_type":"qwen2","num_attention_heads":14,
            "num_hidden_layers":24,"num_key_value_heads":2,"rms_norm_eps":1e-06,"rope_theta":1000000.0,
            "sliding_window":32768,"tie_word_embeddings":true,"torch_dtype":"bfloat16","use_cache":true,
            "use_mrope":false,"use_sliding_window":false,"vocab_size":151936}
            """
        },
    };

    [Theory]
    [MemberData(nameof(Configs))]
    public void Read_OfToJson_GivesTheSameConfig(string name)
    {
        var config = SmallLlama.Configs[name];

        var read = Read(config.ToJson());

        Assert.Equal(config with { HeadDim = config.HeadSize, KeyValueHeads = config.CacheHeads }, read);
    }

    [Theory]
    [MemberData(nameof(Published))]
    public void Read_OfAPublishedFile_GivesThePreset(string preset, string json)
    {
        var read = (LlamaConfig)Read(json);

        Assert.Equal(ModelPresets.Find(preset), read with { HeadDim = null });
    }

    [Theory]
    [InlineData("tiny-llama", 1_250_432)]
    [InlineData("smollm2-135m", 134_515_008)]
    [InlineData("tinyllama-1.1b", 1_100_048_384)]
    [InlineData("llama-3.2-1b", 1_235_814_400)]
    [InlineData("llama-3.2-3b", 3_212_749_824)]
    [InlineData("tiny-qwen2", 989_312)]
    [InlineData("qwen2.5-0.5b", 494_032_768)]
    [InlineData("qwen2.5-1.5b", 1_543_714_304)]
    public void Presets_HaveThePublishedParameterCounts(string name, long count) =>
        Assert.Equal(count, ModelPresets.Find(name).ToArchitecture().ParameterCount);

    [Fact]
    public void Presets_AreAllListed() => Assert.Equal(
        ModelPresets.Names,
        [.. OrtPeft.Models.Gpt2.Gpt2Presets.Names, .. LlamaPresets.Names, .. Qwen2Presets.Names]);

    [Fact]
    public void Find_WhenThePresetIsUnknown_ListsThoseOfAllFamilies()
    {
        var error = Assert.Throws<ModelConfigException>(() => ModelPresets.Find("gpt3"));

        Assert.All(ModelPresets.Names, name => Assert.Contains(name, error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Read_WhenFieldsAreAbsent_TakesHfsDefaults()
    {
        var llama = (LlamaConfig)Read("""{"model_type":"llama"}""");
        var qwen = (LlamaConfig)Read("""{"model_type":"qwen2"}""");

        Assert.Equal(new LlamaConfig(), llama);
        Assert.Equal((32, 128, 11008, 1, 2, false), (
            llama.CacheHeads, llama.HeadSize, llama.IntermediateSize, llama.BosTokenId, llama.EosTokenId,
            llama.TieWordEmbeddings));
        Assert.Equal((151936, 22016, 32, null, true, false), (
            qwen.VocabSize, qwen.IntermediateSize, qwen.KeyValueHeads, qwen.BosTokenId, qwen.HasInputBiases,
            qwen.HasOutputBias));
    }

    [Theory]
    [InlineData("\"num_key_value_heads\":null", 8)]
    [InlineData("\"num_key_value_heads\":2", 2)]
    public void Read_WhenKeyHeadsAreNull_TakesTheQuerys(string field, int expected)
    {
        var config = (LlamaConfig)Read($$"""{"model_type":"qwen2","num_attention_heads":8,{{field}}}""");

        Assert.Equal(expected, config.CacheHeads);
    }

    /// <summary>HF writes rotary fields into an object of their own from version 5 on.</summary>
    [Fact]
    public void Read_OfRopeParameters_TakesThetaAndScaling()
    {
        var config = (LlamaConfig)Read("""
            {"model_type":"llama","rope_parameters":{"rope_theta":5e5,"rope_type":"linear","factor":4}}
            """);

        Assert.Equal((500000f, "linear", 4f), (config.RopeTheta, config.RopeScaling!.Type, config.RopeScaling.Factor));
    }

    [Theory]
    [InlineData("""{"rope_type":"default"}""")]
    [InlineData("null")]
    public void Read_WhenRopeScalingChangesNothing_IsNull(string scaling) =>
        Assert.Null(((LlamaConfig)Read($$"""{"model_type":"llama","rope_scaling":{{scaling}}}""")).RopeScaling);

    [Fact]
    public void Read_OfTheOldNameOfTheType_TakesIt()
    {
        var config = (LlamaConfig)Read("""{"model_type":"llama","rope_scaling":{"type":"linear","factor":2}}""");

        Assert.Equal(("linear", 2f), (config.RopeScaling!.Type, config.RopeScaling.Factor));
    }

    [Theory]
    [InlineData("\"num_attention_heads\":32,\"num_key_value_heads\":5", "num_attention_heads is 32", "which is 5")]
    [InlineData("\"hidden_size\":4097", "hidden_size is 4097", "head_dim")]
    [InlineData("\"head_dim\":5", "head_dim is 5", "even")]
    [InlineData("\"head_dim\":0", "head_dim is 0", "from 1")]
    [InlineData("\"num_hidden_layers\":-1", "num_hidden_layers is -1", "from 1")]
    [InlineData("\"num_hidden_layers\":1001", "num_hidden_layers is 1001", "1000")]
    [InlineData("\"hidden_act\":\"prelu\"", "hidden_act is 'prelu'", "silu")]
    [InlineData("\"rms_norm_eps\":0", "rms_norm_eps is 0", "over 0")]
    [InlineData("\"rope_theta\":-1", "rope_theta is -1", "over 0")]
    [InlineData("\"rope_scaling\":{\"rope_type\":\"mrope\",\"factor\":4}", "rope_scaling.rope_type is 'mrope'", "yarn")]
    [InlineData("\"rope_scaling\":{\"type\":\"su\",\"factor\":4}", "rope_scaling.type is 'su'", "longrope")]
    [InlineData("\"rope_scaling\":{\"rope_type\":\"linear\"}", "rope_scaling.factor is missing", "linear needs one")]
    [InlineData("\"rope_scaling\":{\"type\":\"linear\",\"factor\":0}", "rope_scaling.factor is 0", "over 0")]
    [InlineData("\"rope_scaling\":{\"type\":\"linear\",\"factor\":\"2\"}", "rope_scaling.factor is \"2\"", "a number")]
    [InlineData("\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":2}", "low_freq_factor is missing", "llama3")]
    [InlineData("\"rope_scaling\":[2]", "rope_scaling is [2]", "an object")]
    [InlineData("\"partial_rotary_factor\":0.5", "partial_rotary_factor is 0.5", "1")]
    [InlineData("\"attention_bias\":1", "attention_bias is 1", "true or false")]
    [InlineData("\"vocab_size\":1.5", "vocab_size is 1.5", "whole number")]
    public void Read_WhenAFieldIsBad_NamesFileFieldAndWhatIsAllowed(string field, string found, string allowed) =>
        Refused($$"""{"model_type":"llama","torch_dtype":"bfloat16",{{field}}}""", found, allowed);

    [Fact]
    public void Read_WhenFrequencyFactorsAreTheWrongWayRound_SaysSo() => Refused(
        """
        {"model_type":"llama","rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":4,
        "high_freq_factor":1,"original_max_position_embeddings":8192}}
        """,
        "rope_scaling.high_freq_factor is 1",
        "low_freq_factor, which is 4");

    /// <summary>HF 5 takes scaling and base from one section, and only what that lacks from beside it.</summary>
    [Theory]
    [InlineData("\"rope_theta\":77", 77, null)]
    [InlineData("\"rope_parameters\":null,\"rope_theta\":77", 77, null)]
    [InlineData("\"rope_parameters\":{\"rope_type\":\"default\"},\"rope_theta\":77", 77, null)]
    [InlineData("\"rope_parameters\":{\"rope_type\":\"default\"}", 10000, null)]
    [InlineData("\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":2},\"rope_theta\":77", 77, 2f)]
    [InlineData("\"rope_parameters\":{\"rope_theta\":55},\"rope_theta\":77", 55, null)]
    [InlineData("\"rope_scaling\":{\"type\":\"linear\",\"factor\":2,\"rope_theta\":55},\"rope_theta\":77", 55, 2f)]
    [InlineData("\"rope_scaling\":{\"type\":\"linear\",\"factor\":2,\"rope_theta\":55}", 55, 2f)]
    [InlineData(
        "\"rope_scaling\":{\"type\":\"linear\",\"factor\":2},\"rope_parameters\":{\"rope_theta\":55},\"rope_theta\":77",
        77, 2f)]
    [InlineData("\"rope_scaling\":{\"type\":\"linear\",\"factor\":2},\"rope_parameters\":{\"rope_theta\":5}", 10000, 2f)]
    [InlineData(
        "\"rope_scaling\":{\"rope_type\":\"default\"},\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":4}",
        10000, null)]
    [InlineData(
        "\"rope_scaling\":{},\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":4,\"rope_theta\":500}", 500, 4f)]
    public void Read_WhenRotaryFieldsStandInSeveralPlaces_TakesHfsOrder(string fields, float theta, float? factor)
    {
        var config = (LlamaConfig)Read($$"""{"model_type":"llama",{{fields}}}""");

        Assert.Equal((theta, factor), (config.RopeTheta, config.RopeScaling?.Factor));
    }

    /// <summary>The original length is the other way round: beside the section first, and last the longest one.</summary>
    [Theory]
    [InlineData("", "", 2048)]
    [InlineData("", ",\"original_max_position_embeddings\":16", 16)]
    [InlineData(",\"original_max_position_embeddings\":64", ",\"original_max_position_embeddings\":16", 64)]
    [InlineData(",\"original_max_position_embeddings\":64", "", 64)]
    public void Read_OfLlama3Scaling_TakesHfsOriginalLength(string outside, string inside, int expected)
    {
        var scaling = "\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,\"high_freq_factor\":4";

        var config = (LlamaConfig)Read($$"""{"model_type":"llama","rope_scaling":{{{scaling}}{{inside}}}{{outside}}}""");

        Assert.Equal(expected, config.RopeScaling!.OriginalPositions);
    }

    [Theory]
    [InlineData("\"use_sliding_window\":false,\"sliding_window\":4,\"max_window_layers\":0", 0, "")]
    [InlineData("\"use_sliding_window\":true,\"sliding_window\":null,\"max_window_layers\":0", 0, "")]
    [InlineData("\"use_sliding_window\":true,\"max_window_layers\":3", 0, "")]
    [InlineData("\"use_sliding_window\":true,\"max_window_layers\":2", 4096, "2")]
    [InlineData("\"use_sliding_window\":true,\"sliding_window\":4,\"max_window_layers\":0", 4, "0 1 2")]
    [InlineData(
        "\"use_sliding_window\":true,\"sliding_window\":4,\"max_window_layers\":0,\"layer_types\":[\"full_attention\","
        + "\"full_attention\",\"full_attention\"]", 0, "")]
    [InlineData(
        "\"use_sliding_window\":true,\"sliding_window\":4,\"max_window_layers\":28,\"layer_types\":[\"full_attention\","
        + "\"sliding_attention\",\"full_attention\"]", 4, "1")]
    public void Read_OfQwen2_GivesWindowsAsHf(string fields, int size, string layers)
    {
        var config = (LlamaConfig)Read($$"""{"model_type":"qwen2","num_hidden_layers":3,{{fields}}}""");

        var windowed = Enumerable.Range(0, 3).Where(i => config.SlidingWindow?.IsIn(i) == true);
        Assert.Equal((size, layers), (config.SlidingWindow?.Size ?? 0, string.Join(' ', windowed)));
    }

    [Theory]
    [InlineData("qwen2", "\"layer_types\":[\"sliding_attention\",\"full_attention\"]", "use_sliding_window is false")]
    [InlineData("qwen2", "\"layer_types\":[\"full_attention\"]", "one of 2")]
    [InlineData("qwen2", "\"layer_types\":[\"full_attention\",\"linear_attention\"]", "'linear_attention' in layer 1")]
    [InlineData("qwen2", "\"use_sliding_window\":true,\"sliding_window\":0", "sliding_window is 0")]
    [InlineData("llama", "\"layer_types\":[\"sliding_attention\",\"full_attention\"]", "'sliding_attention' in layer 0")]
    [InlineData("llama", "\"sliding_window\":4096", "sliding_window is 4096")]
    [InlineData("llama", "\"is_causal\":false", "is_causal is false")]
    [InlineData("qwen2", "\"is_causal\":false", "is_causal is false")]
    [InlineData("llama", "\"quantization_config\":{\"bits\":4}", "quantization_config.quant_method is ''")]
    [InlineData("llama", "\"quantization_config\":{\"quant_method\":\"mxfp4\"}", "quant_method is 'mxfp4'")]
    [InlineData("llama", "\"quantization_config\":{\"quant_method\":\"gptq\",\"bits\":5}", "quantization_config.bits is 5")]
    [InlineData("llama", "\"quantization_config\":{\"quant_method\":\"gptq\",\"group_size\":0}", "group_size is 0")]
    [InlineData("llama", "\"quantization_config\":{\"quant_method\":\"gptq\",\"dynamic\":{\"a\":1}}", "dynamic is set")]
    [InlineData("llama", "\"quantization_config\":{\"quant_method\":\"gptq\",\"checkpoint_format\":\"marlin\"}", "checkpoint_format is 'marlin'")]
    [InlineData("llama", "\"quantization_config\":{\"quant_method\":\"awq\",\"version\":\"gemv\"}", "version is 'gemv'")]
    [InlineData("llama", "\"quantization_config\":{\"quant_method\":\"awq\",\"zero_point\":false}", "zero_point is false")]
    [InlineData("llama", "\"quantization_config\":4", "quantization_config is 4")]
    [InlineData("gpt2", "\"quantization_config\":{\"quant_method\":\"gptq\"}", "quantization_config is set")]
    [InlineData("llama", "\"per_layer_config\":{\"0\":{\"hidden_act\":\"relu\"}}", "per_layer_config is")]
    [InlineData("llama", "\"attn_logit_softcapping\":30.0", "attn_logit_softcapping is 30.0")]
    [InlineData("llama", "\"embedding_multiplier\":12", "take it out of the file")]
    [InlineData("llama", "\"rope_interleaved\":true", "rope_interleaved is true")]
    [InlineData("llama", "\"position_embedding_type\":\"alibi\"", "position_embedding_type is \"alibi\"")]
    [InlineData("llama", "\"rope_scaling\":{\"type\":\"linear\",\"factor\":2,\"part\":3}", "rope_scaling.part is 3")]
    public void Read_WhenAFieldMayChangeNumbers_IsRefusedByName(string type, string field, string expected) => Refused(
        $$"""{"model_type":"{{type}}","num_hidden_layers":2,{{field}}}""", expected, "allowed is");

    /// <summary>What hubs' files hold besides: none of it changes what a decoder computes.</summary>
    [Theory]
    [InlineData("\"layer_types\":[\"full_attention\",\"full_attention\"],\"is_causal\":true,\"alibi\":false,\"bias\":null")]
    [InlineData("\"rope_interleaved\":false,\"is_llama_config\":true,\"transformers.js_config\":{\"kv_cache_dtype\":1}")]
    [InlineData("\"_name_or_path\":\"a/b\",\"_attn_implementation_autoset\":true,\"unsloth_fixed\":true")]
    [InlineData("\"pad_token_id\":0,\"torch_dtype\":\"float16\",\"dtype\":\"float16\",\"transformers_version\":\"4.57\"")]
    [InlineData("\"attention_dropout\":0.1,\"hidden_dropout_prob\":0.1,\"pretraining_tp\":2,\"max_sequence_length\":2048")]
    [InlineData("\"temperature\":0.6,\"top_p\":0.9,\"do_sample\":true,\"id2label\":{\"0\":\"a\"},\"architectures\":[\"A\"]")]
    [InlineData("\"unknown\":0,\"unknown2\":\"\",\"unknown3\":[],\"unknown4\":{},\"auto_map\":{\"AutoModel\":\"x\"}")]
    public void Read_OfFieldsThatChangeNoNumbers_GivesThePlainConfig(string fields)
    {
        var plain = Read("""{"model_type":"llama","num_hidden_layers":2}""");

        Assert.Equal(plain, Read($$"""{"model_type":"llama","num_hidden_layers":2,{{fields}}}"""));
    }

    /// <summary>A graph brings its own attention; its description is asked for other things.</summary>
    [Theory]
    [InlineData("\"rope_scaling\":{\"rope_type\":\"mrope\",\"factor\":4}")]
    [InlineData("\"hidden_act\":\"prelu\"")]
    [InlineData("\"is_causal\":false,\"sliding_window\":4096,\"quantization_config\":{\"bits\":4}")]
    public void TryRead_OfWhatCannotBeBuilt_IsRead(string fields)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["config.json"], $$"""{"model_type":"llama","vocab_size":7,{{fields}}}""");

        Assert.Equal(7, ModelFamilies.TryRead(folder["config.json"])!.VocabularySize);
    }

    private static void Refused(string json, string found, string allowed)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["config.json"], json);

        var error = Assert.Throws<ModelConfigException>(() => ModelFamilies.Read(folder["config.json"]));

        Assert.StartsWith(folder["config.json"], error.Message, StringComparison.Ordinal);
        Assert.Contains(found, error.Message, StringComparison.Ordinal);
        Assert.Contains(allowed, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private static ModelConfig Read(string json)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["config.json"], json);
        return ModelFamilies.Read(folder["config.json"]);
    }
}
