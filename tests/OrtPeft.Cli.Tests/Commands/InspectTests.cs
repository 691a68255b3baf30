using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class InspectTests(Workplace place) : IClassFixture<Workplace>
{
    [Fact]
    public void Inspect_GroupsModulesByLayer()
    {
        var output = CliRun.Of("inspect", place.Model).Succeeded().Output;

        var width = Workplace.Width;
        Assert.Contains($"transformer.h.{{0..{Workplace.Layers - 1}}}.attn.c_attn", output, StringComparison.Ordinal);
        Assert.Contains($"{width} → {3 * width}", output, StringComparison.Ordinal);
        Assert.Contains($"trainable params: {Workplace.LoraParameters(8)} ||", output, StringComparison.Ordinal);
        Assert.Contains("input_ids: Int64[batch_size, sequence_length]", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_WithJson_HasEverything()
    {
        var json = CliRun.Of("inspect", place.Hf, "--rank", "4", "--target", "all-linear", "--json").Succeeded().Json;

        Assert.Equal("input_ids", (string?)json["inputs"]![0]!["name"]);
        Assert.Equal((4 * Workplace.Layers) + 1, json["modules"]!.AsArray().Count);
        Assert.Equal("transformer.h.0.attn.c_attn", (string?)json["modules"]![0]!["name"]);
        Assert.Equal("[in, out]", (string?)json["modules"]![0]!["layout"]);
        Assert.True((bool)json["modules"]!.AsArray()[^1]!["output_layer"]!);
        Assert.Equal(8 * Workplace.Layers, json["method"]!["parameters"]!.AsArray().Count);
        Assert.Equal(4, (int)json["method"]!["config"]!["r"]!);
        Assert.Equal(8, (int)json["method"]!["config"]!["lora_alpha"]!);
        Assert.Empty(json["method"]!["ops_without_gradient"]!.AsArray());
    }

    [Theory]
    [InlineData("loha", "--rank", "4", "alpha", "8")]
    [InlineData("lokr", "--alpha", "3", "alpha", "3")]
    [InlineData("vera", "--dropout", "0.5", "vera_dropout", "0.5")]
    [InlineData("bottleneck", "--dropout", "0.5", "dropout", "0.5")]
    [InlineData("bottleneck", "--preset", "parallel", "is_parallel", "true")]
    [InlineData("bottleneck", "--reduction-factor", "8", "reduction_factor", "8")]
    [InlineData("bottleneck", "--non-linearity", "tanh", "non_linearity", "\"tanh\"")]
    public void Option_OfAMethod_StandsForItsField(
        string method, string option, string value, string field, string written)
    {
        var run = CliRun.Of("inspect", place.Hf, "--method", method, option, value, "--json").Succeeded();

        Assert.Equal(written, run.Json["method"]!["config"]![field]!.ToJsonString());
        Assert.Empty(run.Json["method"]!["ops_without_gradient"]!.AsArray());
    }

    [Theory]
    [InlineData("--rank", "0", "rank")]
    [InlineData("--rank", "-2", "-2")]
    [InlineData("--method", "wonder", "lora")]
    [InlineData("--target", "q_proj", "c_attn")]
    [InlineData("--target", "(", "regular expression")]
    [InlineData("--layers", "0,x", "'x'")]
    [InlineData("--rank-pattern", "c_attn", "NAME=NUMBER")]
    [InlineData("--bias", "some", "lora_only")]
    [InlineData("--set", "wonder=1", "'wonder'")]
    [InlineData("--peft-config", "missing.json", "missing.json")]
    [InlineData("--init-adapter", "missing", "missing")]
    public void WrongMethodOption_IsRefused(string option, string value, string said) =>
        CliRun.Of("inspect", place.Model, option, value).Refused(2, said);

    [Fact]
    public void OptionOfAnotherMethod_IsRefused() =>
        CliRun.Of("inspect", place.Model, "--method", "full", "--rank", "4").Refused(2, "--rank", "full");

    [Fact]
    public void OptionBesideAConfigFile_IsRefused()
    {
        var file = place.Write("clash/adapter_config.json", """{"peft_type":"LORA","r":4}""");

        CliRun.Of("inspect", place.Model, "--peft-config", file, "--rank", "8").Refused(2, "--rank", file);
    }
}
