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
    [InlineData("""{"model_type":"gpt2","activation_function":"mish"}""", "gelu_new")]
    [InlineData("""{"model_type":"gpt2","layer_norm_epsilon":0}""", "layer_norm_epsilon")]
    [InlineData("""{"model_type":"gpt2","initializer_range":-1}""", "initializer_range")]
    [InlineData("""{"model_type":"gpt2","scale_attn_weights":1}""", "true or false")]
    [InlineData("""{"model_type":"gpt2","add_cross_attention":true}""", "add_cross_attention")]
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
