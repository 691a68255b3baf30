using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Lora;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Lora;

public sealed class LoraConfigTests
{
    private static readonly string Folder = Path.Combine(Fixtures.Folder, "peft_ckpt");

    public static TheoryData<string> Adapters =>
        [.. Directory.EnumerateDirectories(Folder).Select(static f => Path.GetFileName(f)).Order()];

    [Theory]
    [MemberData(nameof(Adapters))]
    public void ToJson_WhenReadFromHfPeft_HasItsValues(string adapter)
    {
        var file = Path.Combine(Folder, adapter, AdapterFolder.ConfigFile);
        var written = JsonNode.Parse(File.ReadAllText(file))!.AsObject();

        var json = AdapterFolder.LoadConfig(file).ToJson();

        foreach (var (field, value) in written)
            Assert.True(json.ContainsKey(field) && JsonNode.DeepEquals(value, json[field]), $"{field}: {json[field]}");
    }

    [Fact]
    public void ToJson_WhenEverythingIsSet_ReadsBackEqual()
    {
        var fields = """
            {"peft_type": "LORA", "task_type": null, "base_model_name_or_path": "gpt2", "revision": "r1", "r": 16,
             "auto_mapping": {"a": "b"}, "lora_alpha": 12.5, "lora_dropout": 0.25, "target_modules": ["c_attn"],
             "exclude_modules": ".*lm_head", "bias": "all", "use_rslora": true, "fan_in_fan_out": true,
             "init_lora_weights": "pissa_niter_3", "use_dora": true, "modules_to_save": ["ln_f"],
             "rank_pattern": {"a": 2, "b": 3}, "alpha_pattern": {"b": 1.5, "a": 4},
             "layers_to_transform": [0, 3], "layers_pattern": ["h"], "peft_version": "0.20", "new": {"x": [1, null]}}
            """;

        var json = Read(fields).ToJson();

        foreach (var (field, value) in JsonNode.Parse(fields)!.AsObject())
            Assert.True(JsonNode.DeepEquals(value, json[field]), $"{field}: {json[field]?.ToJsonString()}");
        Assert.Equal(json.Select(static f => f.Key).Order(StringComparer.Ordinal), json.Select(static f => f.Key));
        Assert.True(JsonNode.DeepEquals(json, Read(json.ToJsonString()).ToJson()));
    }

    [Fact]
    public void FromFields_WhenOnlyTheTypeIsThere_TakesHfPeftsDefaults()
    {
        var config = Read("""{"peft_type": "LORA"}""");

        Assert.Equal((8, 8.0, 0.0, "none", false, LoraInit.Kaiming), (
            config.R, config.LoraAlpha, config.LoraDropout, config.Bias, config.UseRslora, config.InitLoraWeights));
        Assert.Null(config.TargetModules);
    }

    [Theory]
    [InlineData("use_qalora", "true")]
    [InlineData("layer_replication", "[[0, 4]]")]
    [InlineData("alora_invocation_tokens", "[1, 2]")]
    [InlineData("kasa_config", "{}")]
    [InlineData("arrow_config", "{}")]
    [InlineData("monteclora_config", "{}")]
    public void FromFields_WhenAFieldChangesTheMathematics_RefusesIt(string field, string value)
    {
        var error = Assert.Throws<ConfigException>(() => Read($$"""{"peft_type": "LORA", "{{field}}": {{value}}}"""));

        Assert.Contains(field, error.Message, StringComparison.Ordinal);
        Assert.Contains("config.json", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("use_dora", "false")]
    [InlineData("modules_to_save", "null")]
    [InlineData("modules_to_save", "[]")]
    [InlineData("layer_replication", "null")]
    [InlineData("target_parameters", "[]")]
    [InlineData("alora_invocation_tokens", "null")]
    public void FromFields_WhenSuchAFieldIsOff_TakesIt(string field, string value)
    {
        Assert.Equal(8, Read($$"""{"peft_type": "LORA", "{{field}}": {{value}}}""").R);
    }

    /// <summary>VeLoRA changes how gradients are computed; what it trained is a plain LoRA.</summary>
    [Fact]
    public void FromFields_OfVelora_IsPlainLora_AndKeepsTheField()
    {
        var config = Read("""{"peft_type": "LORA", "velora_config": {"rank": 2}}""");

        Assert.Empty(config.UnknownFields);
        Assert.True(config.ToJson().ContainsKey("velora_config"));
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("0", false)]
    [InlineData("0.5", true)]
    public void FromFields_OfANumberForAFlag_TakesPythonsTruth(string value, bool expected) =>
        Assert.Equal(expected, Read($$"""{"peft_type": "LORA", "use_rslora": {{value}}}""").UseRslora);

    [Theory]
    [InlineData("r", "0")]
    [InlineData("r", "-1")]
    [InlineData("r", "\"8\"")]
    [InlineData("r", "8.5")]
    [InlineData("r", "1e20")]
    [InlineData("r", "true")]
    [InlineData("r", "[8]")]
    [InlineData("r", "null")]
    [InlineData("lora_alpha", "null")] // HF PEFT divides by it
    [InlineData("lora_alpha", "\"16\"")]
    [InlineData("lora_dropout", "1")]
    [InlineData("lora_dropout", "-0.1")]
    [InlineData("lora_dropout", "{}")]
    [InlineData("bias", "\"some\"")]
    [InlineData("bias", "false")]
    [InlineData("use_rslora", "\"1\"")]
    [InlineData("fan_in_fan_out", "\"true\"")]
    [InlineData("target_modules", "7")]
    [InlineData("target_modules", "[\"a\", 7]")]
    [InlineData("target_modules", "[null]")]
    [InlineData("rank_pattern", "[1]")]
    [InlineData("rank_pattern", "{\"a\": \"b\"}")]
    [InlineData("rank_pattern", "{\"a\": null}")]
    [InlineData("alpha_pattern", "{\"a\": [1]}")]
    [InlineData("layers_to_transform", "[\"a\"]")]
    [InlineData("layers_pattern", "[1]")]
    [InlineData("task_type", "1")]
    public void FromFields_WhenAValueIsWrong_NamesFieldAndFile(string field, string value)
    {
        var error = Assert.Throws<ConfigException>(() => Read($$"""{"peft_type": "LORA", "{{field}}": {{value}}}"""));

        Assert.StartsWith("config.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(field == "rank_pattern" ? "r" : field, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{}""", "peft_type is missing")]
    [InlineData("""{"peft_type": null}""", "peft_type is missing")]
    [InlineData("""{"peft_type": "XLORA"}""", "'XLORA'")]
    [InlineData("""{"peft_type": 3}""", "peft_type is 3")]
    public void Read_WhenTheMethodIsNotKnown_SaysSo(string json, string part)
    {
        var error = Assert.Throws<ConfigException>(() => Read(json));

        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, 4.0)]
    [InlineData(true, 8.0)]
    public void ScaleOf_WhenPatternsMatch_UsesTheModulesOwnNumbers(bool rslora, double expected)
    {
        var config = new LoraConfig { R = 4, LoraAlpha = 8, UseRslora = rslora, AlphaPattern = [new("c_fc", 16)] };

        Assert.Equal(expected, config.ScaleOf("transformer.h.0.mlp.c_fc"));
        Assert.Equal(expected / 2, config.ScaleOf("transformer.h.0.attn.c_attn"));
    }

    private static LoraConfig Read(string json)
    {
        var fields = new ConfigFields(JsonNode.Parse(json)!.AsObject(), "config.json");
        return Assert.IsType<LoraConfig>(PeftMethods.Read(fields, "config.json"));
    }
}
