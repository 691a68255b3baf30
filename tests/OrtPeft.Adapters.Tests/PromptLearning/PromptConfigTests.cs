using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.PTuning;
using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Adapters.PromptTuning;

namespace OrtPeft.Adapters.Tests.PromptLearning;

/// <summary>The configurations of the methods with virtual tokens.</summary>
public sealed class PromptConfigTests
{
    [Fact]
    public void Read_WhenOnlyTheTypeIsThere_TakesHfPeftsDefaults()
    {
        var prompt = Assert.IsType<PromptTuningConfig>(Read("PROMPT_TUNING", "task_type", "null"));
        var encoded = Assert.IsType<PTuningConfig>(Read("P_TUNING", "task_type", "null"));
        var prefix = Assert.IsType<PrefixTuningConfig>(Read("PREFIX_TUNING", "task_type", "null"));

        Assert.Equal(("RANDOM", 20), (prompt.PromptTuningInit, prompt.NumVirtualTokens));
        Assert.Equal(("MLP", 2, 0.0, null), (
            encoded.EncoderReparameterizationType,
            encoded.EncoderNumLayers,
            encoded.EncoderDropout,
            encoded.EncoderHiddenSize));
        Assert.Equal((false, null, null), (prefix.PrefixProjection, prefix.InitWeights, prefix.TokenDim));
    }

    [Theory]
    [InlineData("PROMPT_TUNING", "num_virtual_tokens", "0")]
    [InlineData("P_TUNING", "num_virtual_tokens", "-3")]
    [InlineData("PREFIX_TUNING", "num_virtual_tokens", "1.5")]
    [InlineData("PROMPT_TUNING", "num_virtual_tokens", "\"8\"")]
    [InlineData("PROMPT_TUNING", "num_transformer_submodules", "2")]
    [InlineData("PROMPT_TUNING", "token_dim", "\"wide\"")]
    [InlineData("PROMPT_TUNING", "prompt_tuning_init", "\"ZERO\"")]
    [InlineData("PROMPT_TUNING", "prompt_tuning_init", "\"TEXT\"")]
    [InlineData("PROMPT_TUNING", "modules_to_save", "[3]")]
    [InlineData("P_TUNING", "encoder_reparameterization_type", "\"GRU\"")]
    [InlineData("P_TUNING", "encoder_hidden_size", "0")]
    [InlineData("P_TUNING", "encoder_num_layers", "0")]
    [InlineData("P_TUNING", "encoder_dropout", "1")]
    [InlineData("PREFIX_TUNING", "encoder_hidden_size", "-1")]
    [InlineData("PREFIX_TUNING", "init_weights", "\"ones\"")]
    [InlineData("PREFIX_TUNING", "prefix_projection", "\"yes\"")]
    public void Read_WhenAValueIsWrong_NamesFieldAndFile(string type, string field, string value)
    {
        var error = Assert.Throws<ConfigException>(() => Read(type, field, value));

        Assert.StartsWith("config.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(field, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToJson_LeavesTheTokensOfATextOut()
    {
        var config = new PromptTuningConfig
        {
            PromptTuningInit = "TEXT",
            PromptTuningInitText = "a text",
            InitTokenIds = [4, 2],
        };

        var json = config.ToJson();

        Assert.Equal("a text", (string?)json["prompt_tuning_init_text"]);
        Assert.DoesNotContain("[", json.ToJsonString(), StringComparison.Ordinal);
    }

    private static PeftConfig Read(string type, string field, string value)
    {
        var json = JsonNode.Parse($$"""{"peft_type": "{{type}}", "{{field}}": {{value}}}""")!.AsObject();
        return PeftMethods.Read(new ConfigFields(json, "config.json"), "config.json");
    }
}
