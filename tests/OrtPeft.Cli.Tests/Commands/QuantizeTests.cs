using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class QuantizeTests(Workplace place) : IClassFixture<Workplace>
{
    [Theory]
    [InlineData("4", "--bits", "4", "--symmetric")]
    [InlineData("8", "--bits", "8", "--asymmetric")]
    [InlineData("4", "--format", "nf4")]
    public void Quantize_ThenTrain_LearnsAndTheAdapterServesTheQuantisedBase(string bits, params string[] format)
    {
        var (model, adapter, merged) = (place.Fresh(), place.Fresh(), place.Fresh());

        var json = CliRun.Of(["quantize", place.Model, "--out", model, "--json", .. format]).Succeeded().Json;

        Assert.Equal(4 * Workplace.Layers, json["layers"]!.AsArray().Count);
        Assert.InRange((double)json["largest_relative_error"]!, 0, bits == "4" ? 0.2 : 0.02);
        Assert.True(File.Exists(Path.Combine(model, "tokenizer.json")));
        CliRun.Of(
            "train", model, "--data", place.Rows, "--out", adapter, "--steps", "5", "--lr", "0.02", "--rank", "4",
            "--target", "all-linear", "--threads", "1").Succeeded();
        var (plain, adapted) = (Loss(model), Loss(model, "--adapter", adapter));
        Assert.True(adapted < plain - 0.01, $"{adapted} < {plain}");
        CliRun.Of("merge", model, "--adapter", adapter, "--out", merged, "--keep-float").Succeeded();
        Assert.Equal(adapted, Loss(merged), 1e-4); // merged in float32: rounding alone
        Assert.False(File.Exists(Path.Combine(merged, "model.safetensors")));
    }

    [Fact]
    public void Quantize_WithLoftq_WritesABaseAndTheAdapterToStartFrom()
    {
        var (model, adapter) = (place.Fresh(), place.Fresh());

        var run = CliRun.Of(
            "quantize", place.Model, "--format", "nf4", "--loftq", "--rank", "4", "--out", model).Succeeded();

        var start = Path.Combine(model, "loftq_init");
        Assert.Contains($"--init-adapter {start}", run.Output, StringComparison.Ordinal);
        var (floating, plain, started) = (Loss(place.Model), Loss(model), Loss(model, "--adapter", start));
        Assert.True(Math.Abs(started - floating) < Math.Abs(plain - floating), $"{floating}: {plain}, {started}");
        CliRun.Of(
            "train", model, "--data", place.Rows, "--out", adapter, "--steps", "2", "--lr", "0.01",
            "--init-adapter", start, "--threads", "1").Succeeded();
        Assert.True(Loss(model, "--adapter", adapter) < started);
    }

    [Theory]
    [InlineData("--loftq", "--rank", "4", "--bits", "8", "--format", "nf4", "--bits is 8")]
    [InlineData("--format", "nf4", "--asymmetric", "zero points")]
    [InlineData("--rank", "4", "--loftq")]
    [InlineData("--loftq", "--loftq-iterations", "0", "1 or more")]
    [InlineData("--format", "fp4", "nf4")]
    public void Quantize_WithOptionsThatDoNotGoTogether_SaysWhichOnes(params string[] optionsAndPart) =>
        CliRun.Of(["quantize", place.Model, "--out", place.Fresh(), .. optionsAndPart[..^1]])
            .Refused(2, optionsAndPart[^1]);

    [Fact]
    public void Train_WithAFreshLoftqStart_SaysWhatToDo() =>
        CliRun.Of("train", place.Model, "--data", place.Rows, "--out", place.Fresh(), "--init", "loftq")
            .Refused(2, "quantize", "--loftq", "--init-adapter");

    [Fact]
    public void Quantize_SaysWhatItSavedAndWhatItCost()
    {
        var output = CliRun.Of("quantize", place.Hf, "--target", "c_attn", "--out", place.Fresh()).Succeeded().Output;

        Assert.Contains($"Quantised {Workplace.Layers} layers", output, StringComparison.Ordinal);
        Assert.Contains("Relative RMS error", output, StringComparison.Ordinal);
    }

    [Fact]
    public void QuantisedModel_Generates_AndRefusesFullFineTuning()
    {
        var model = place.Fresh();
        CliRun.Of("quantize", place.Model, "--out", model).Succeeded();

        CliRun.Of("inspect", model).Succeeded();
        CliRun.Of("generate", model, "--prompt", "the cat", "--max-new-tokens", "4").Succeeded();
        CliRun.Of("train", model, "--data", place.Rows, "--out", place.Fresh(), "--method", "full")
            .Refused(2, "quantised", "lora");
    }

    [Theory]
    [InlineData("--bits", "5", "4, 8")]
    [InlineData("--bits", "four", "whole number")]
    [InlineData("--block-size", "48", "32, 64, 128")]
    [InlineData("--target", "nothing", "c_attn")]
    [InlineData("--target", "lm_head", "embedding")]
    public void Quantize_WithAWrongValue_NamesIt(string option, string value, string allowed)
    {
        var path = place.Fresh();

        CliRun.Of("quantize", place.Model, "--out", path, option, value).Refused(2, value, allowed);

        Assert.False(Directory.Exists(path));
    }

    [Fact]
    public void Quantize_WithBothSymmetries_IsRefused() =>
        CliRun.Of("quantize", place.Model, "--out", place.Fresh(), "--symmetric", "--asymmetric")
            .Refused(2, "--symmetric", "--asymmetric");

    [Fact]
    public void Quantize_IntoTheModelsFolder_IsRefused() =>
        CliRun.Of("quantize", place.Model, "--out", place.Model, "--overwrite").Refused(2, "own folder");

    [Fact]
    public void Quantize_OfAQuantisedModel_IsRefused()
    {
        var model = place.Fresh();
        CliRun.Of("quantize", place.Model, "--out", model).Succeeded();

        CliRun.Of("quantize", model, "--out", place.Fresh()).Refused(2, "quantised already");
    }

    private double Loss(string model, params string[] options)
    {
        var json = CliRun.Of(["eval", model, "--data", place.Rows, "--json", .. options]).Succeeded().Json;
        return (double)json["loss"]!;
    }
}
