using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>The whole way, from new weights to a merged model, with families other than GPT-2.</summary>
public sealed class OtherFamiliesTests(Workplace place) : IClassFixture<Workplace>
{
    [Theory]
    [InlineData("tiny-llama")]
    [InlineData("tiny-qwen2")]
    public void EveryVerb_WhenTheModelIsOfThePreset_Works(string preset)
    {
        var (hf, model, adapter, merged) = (place.Fresh(), place.Fresh(), place.Fresh(), place.Fresh());

        CliRun.Of("init", "--preset", preset, "--seed", "1", "--out", hf).Succeeded();
        CliRun.Of("import", hf, "--out", model).Succeeded();
        var inspected = CliRun.Of("inspect", model).Succeeded().Output;
        CliRun.Of("train", model, "--data", place.Rows, "--out", adapter, "--steps", "6", "--lr", "0.02").Succeeded();
        CliRun.Of("merge", model, "--adapter", adapter, "--out", merged).Succeeded();

        Assert.Contains("module  model.layers.{0..3}.self_attn.q_proj", inspected, StringComparison.Ordinal);
        Assert.Contains("every operator", inspected, StringComparison.Ordinal);
        var adapted = Loss(model, "--adapter", adapter);
        Assert.True(adapted < Loss(model) - 0.01);
        Assert.Equal(adapted, Loss(hf, "--adapter", adapter), 1e-5);
        Assert.Equal(adapted, Loss(merged), 1e-5);
        File.Delete(Path.Combine(merged, "model.onnx"));
        Assert.Equal(adapted, Loss(merged), 1e-5);
    }

    [Fact]
    public void Generate_WhenTheModelIsALlama_NeedsATokenizerAndGoesOn()
    {
        var model = place.Fresh();
        CliRun.Of("init", "--preset", "tiny-llama", "--out", model).Succeeded();
        foreach (var file in (string[])["tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"])
            File.Delete(Path.Combine(model, file));

        CliRun.Of("generate", model, "--prompt", "the cat").Refused(2, "tokenizer", "--tokenizer");
        var run = CliRun.Of(
            "generate", model, "--prompt", "the cat", "--tokenizer", place.Hf, "--max-new-tokens", "4", "--json");

        Assert.InRange((int)run.Succeeded().Json["tokens"]!, 1, 4);
    }

    private double Loss(string model, params string[] options) =>
        (double)CliRun.Of(["eval", model, "--data", place.Rows, "--json", .. options]).Succeeded().Json["loss"]!;
}
