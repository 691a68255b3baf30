using OrtPeft.Models.Gpt2;

namespace OrtPeft.Models.Tests.Gpt2;

public sealed class Gpt2ConfigTests
{
    [Fact]
    public void Read_OfToJson_GivesTheSameConfig()
    {
        using var folder = new TemporaryFolder();
        var config = Gpt2Presets.Find("tiny") with
        {
            InnerSize = 100,
            TieWordEmbeddings = false,
            BosTokenId = null,
            LayerNormEpsilon = 1e-6f,
        };

        File.WriteAllText(folder["config.json"], config.ToJson());

        Assert.Equal(config, ModelFamilies.Read(folder["config.json"]));
    }

    [Fact]
    public void Read_WhenFieldsAreAbsent_TakesHfsDefaults()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["config.json"], """{"model_type":"gpt2","n_ctx":1024,"eos_token_id":[7,8]}""");

        Assert.Equal(new Gpt2Config { EosTokenId = 7 }, ModelFamilies.Read(folder["config.json"]));
    }

    [Theory]
    [InlineData("""{"model_type":"gpt2","n_layer":0}""", "n_layer is 0")]
    [InlineData("""{"model_type":"gpt2","n_layer":-1}""", "n_layer is -1")]
    [InlineData("""{"model_type":"gpt2","n_layer":2000000000}""", "1 to 1000")]
    [InlineData("""{"model_type":"gpt2","n_layer":"12"}""", "n_layer is \"12\"")]
    [InlineData("""{"model_type":"gpt2","n_layer":99999999999}""", "n_layer is 99999999999")]
    [InlineData("""{"model_type":"gpt2","n_embd":770}""", "multiple of n_head")]
    [InlineData("""{"model_type":"gpt2","activation_function":"prelu"}""", "gelu_new")]
    [InlineData("""{"model_type":"gpt2","layer_norm_epsilon":0}""", "layer_norm_epsilon")]
    [InlineData("""{"model_type":"gpt2","initializer_range":-1}""", "initializer_range")]
    [InlineData("""{"model_type":"gpt2","scale_attn_weights":1}""", "true or false")]
    [InlineData("""{"model_type":"gpt2","add_cross_attention":true}""", "add_cross_attention")]
    [InlineData("""{"model_type":"gpt2","is_causal":false}""", "is_causal is false")]
    [InlineData("""{"model_type":"gpt2","position_embedding_type":"relative_key"}""", "position_embedding_type")]
    [InlineData("""{"model_type":"gpt2","num_attention_heads":5}""", "multiple of n_head, which is 5")]
    [InlineData("""{"model_type":"bert"}""", "model_type is 'bert'")]
    [InlineData("""{}""", "model_type is ''")]
    [InlineData("[]", "JSON object")]
    [InlineData("{", "not valid JSON")]
    [InlineData("""{"model_type":"\ud800"}""", "not valid Unicode")]
    public void Read_WhenAFieldIsBad_NamesFileFieldAndWhatIsAllowed(string json, string expected)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["config.json"], json);

        var error = Assert.Throws<ModelConfigException>(() => ModelFamilies.Read(folder["config.json"]));

        Assert.StartsWith(folder["config.json"], error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>HF sets what it calls by both names in this order.</summary>
    [Theory]
    [InlineData("\"n_head\":4,\"num_attention_heads\":2")]
    [InlineData("\"num_attention_heads\":2,\"n_head\":4")]
    [InlineData("\"num_attention_heads\":2")]
    public void Read_OfFieldsUnderBothNames_TakesTheCommonOnes(string heads)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["config.json"], $$"""
            {"model_type":"gpt2","n_embd":16,"hidden_size":8,"num_hidden_layers":3,"max_position_embeddings":9,{{heads}}}
            """);

        Assert.Equal(
            new Gpt2Config { EmbeddingSize = 8, Layers = 3, Positions = 9, Heads = 2 },
            ModelFamilies.Read(folder["config.json"]));
    }

    /// <summary>gpt2-xl's file as it is published, and what distilgpt2's and others' hold besides.</summary>
    [Fact]
    public void Read_OfAPublishedFile_GivesThePreset()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["config.json"], """
            {"activation_function":"gelu_new","architectures":["GPT2LMHeadModel"],"attn_pdrop":0.1,"bos_token_id":50256,
            "embd_pdrop":0.1,"eos_token_id":50256,"initializer_range":0.02,"layer_norm_epsilon":1e-05,
            "model_type":"gpt2","n_ctx":1024,"n_embd":1600,"n_head":25,"n_layer":48,"n_positions":1024,
            "output_past":true,"resid_pdrop":0.1,"summary_activation":null,"summary_first_dropout":0.1,
            "summary_proj_to_labels":true,"summary_type":"cls_index","summary_use_proj":true,
            "task_specific_params":{"text-generation":{"do_sample":true,"max_length":50}},"vocab_size":50257,
            "_num_labels":1,"id2label":{"0":"LABEL_0"},"label2id":{"LABEL_0":0},"gradient_checkpointing":false,
            "tokenizer_class":"GPT2Tokenizer","use_cache":true,"dtype":"float32","add_cross_attention":false}
            """);

        Assert.Equal(Gpt2Presets.Find("gpt2-xl"), ModelFamilies.Read(folder["config.json"]));
    }

    [Fact]
    public void ToArchitecture_WhenAnOverrideIsBad_Throws() =>
        Assert.Throws<ModelConfigException>(() => (Gpt2Presets.Find("gpt2") with { Heads = 7 }).ToArchitecture());

    [Theory]
    [InlineData("tiny", 1_071_872)]
    [InlineData("gpt2", 124_439_808)]
    [InlineData("gpt2-medium", 354_823_168)]
    [InlineData("gpt2-large", 774_030_080)]
    [InlineData("gpt2-xl", 1_557_611_200)]
    public void Presets_HaveThePublishedParameterCounts(string name, long count) =>
        Assert.Equal(count, Gpt2Presets.Find(name).ToArchitecture().ParameterCount);

    [Fact]
    public void Find_WhenThePresetIsUnknown_ListsTheKnownOnes()
    {
        var error = Assert.Throws<ModelConfigException>(() => Gpt2Presets.Find("gpt3"));

        Assert.Contains("gpt2-xl", error.Message, StringComparison.Ordinal);
    }
}
