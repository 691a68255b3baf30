using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>Adapter files of other layouts, from training to merging.</summary>
public sealed class AdapterFilesTests(Workplace place) : IClassFixture<Workplace>
{
    private readonly Workplace _place = place;

    [Fact]
    public void Merge_OfTrainedTokens_KeepsTheHeadTied()
    {
        var (adapter, merged) = (_place.Fresh(), _place.Fresh());
        Train(adapter, "--method", "trainable-tokens", "--set", "token_indices=[11,37,48]").Succeeded();

        CliRun.Of("merge", _place.Model, "--adapter", adapter, "--out", merged).Succeeded();

        var expected = Loss(_place.Model, "--adapter", adapter);
        Assert.NotEqual(Loss(_place.Model), expected, 1e-4);
        Assert.Equal(expected, Loss(merged), 1e-5);
        File.Delete(Path.Combine(merged, "model.onnx"));
        Assert.Equal(expected, Loss(merged), 1e-5); // from model.safetensors, which has no head of its own
    }

    [Fact]
    public void Train_OfTokensBesideLora_ReadsItsFilesBack()
    {
        var adapter = _place.Fresh();

        Train(adapter, "--rank", "2", "--set", "trainable_token_indices=[11,37]").Succeeded();

        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(adapter, "adapter_config.json")))!;
        Assert.Equal("[11,37]", config["trainable_token_indices"]!.ToJsonString());
        Assert.NotEqual(Loss(_place.Model), Loss(_place.Model, "--adapter", adapter), 1e-4);
    }

    [Fact]
    public void Train_InTheAdaptersLibrarysLayout_ReadsItBack_AndGoesOnInIt()
    {
        var (first, second) = (_place.Fresh(), _place.Fresh());

        var said = Train(first, "--method", "bottleneck", "--set", "layout=adapters").Succeeded();

        Assert.Contains("adapter.safetensors", said.Output, StringComparison.Ordinal);
        Assert.NotEqual(Loss(_place.Model), Loss(_place.Model, "--adapter", first), 1e-4);
        Train(second, "--init-adapter", first).Succeeded();
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(second, "adapter_config.json")))!;
        Assert.Equal("swish", (string?)config["config"]!["non_linearity"]);
        Assert.True(File.Exists(Path.Combine(second, "adapter.safetensors")));
    }

    [Fact]
    public void Eval_OfAPickle_SaysHowToConvertIt()
    {
        var adapter = _place.Fresh();
        Train(adapter, "--rank", "2").Succeeded();
        var weights = Path.Combine(adapter, "adapter_model.safetensors");
        File.Move(weights, Path.ChangeExtension(weights, ".bin"));

        CliRun.Of("eval", _place.Model, "--data", _place.Rows, "--adapter", adapter)
            .Refused(2, "adapter_model.bin", "pickle", "save_file");
    }

    [Theory]
    [InlineData("adapter_model.safetensors")]
    [InlineData("adapter_config.json")]
    public void AdaptersFile_StandsForItsFolder(string file)
    {
        var adapter = _place.Fresh();
        Train(adapter, "--rank", "2").Succeeded();

        Assert.Equal(
            Loss(_place.Model, "--adapter", adapter), Loss(_place.Model, "--adapter", Path.Combine(adapter, file)));
    }

    [Fact]
    public void AnotherFileAsAdapter_IsRefused()
    {
        CliRun.Of("eval", _place.Model, "--data", _place.Rows, "--adapter", _place.Rows)
            .Refused(2, "--adapter", "rows.jsonl is not an adapter's file; give the adapter's folder");
    }

    private CliRun Train(string adapter, params string[] options)
    {
        string[] steps = ["--steps", "3", "--lr", "0.05", "--threads", "1"];
        return CliRun.Of(["train", _place.Model, "--data", _place.Rows, "--out", adapter, .. steps, .. options]);
    }

    private double Loss(string model, params string[] options) =>
        (double)CliRun.Of(["eval", model, "--data", _place.Rows, "--json", .. options]).Succeeded().Json["loss"]!;
}
