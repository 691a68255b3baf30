using OrtPeft.Cli.Tests.Running;
using OrtPeft.Testing;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class BenchTests(Workplace place) : IClassFixture<Workplace>
{
    [Fact]
    public void Bench_AsJson_HasTheContractsFields()
    {
        var json = CliRun.Of(
            "bench", place.Model, "--batch-size", "2", "--seq-len", "8", "--steps", "1", "--threads", "1", "--json")
            .Succeeded().Json;

        string[] names =
        [
            "ms_per_step_median", "tokens_per_second", "peak_rss_mb", "gemm_gflops", "model_gflops", "gemm_fraction",
            "load_seconds", "trainable_parameters",
        ];
        Assert.All(names, name => Assert.True((double)json[name]! > 0, name));
    }

    [Fact]
    public void Bench_WithProfile_ShowsOperatorsAndParts()
    {
        var output = CliRun.Of(
            "bench", place.Model, "--batch-size", "1", "--seq-len", "8", "--steps", "1", "--threads", "1", "--profile")
            .Succeeded().Output;

        Assert.Contains("operator", output, StringComparison.Ordinal);
        Assert.Contains("backward h/mlp", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Bench_OfInference_AsJson_HasEveryVariantsTimes()
    {
        var json = CliRun.Of([.. Inference(), "--json"]).Succeeded().Json;

        Assert.True((bool)json["has_cache"]!);
        string[] variants = ["base", "unmerged", "merged"];
        string[] runs = ["evaluation", "prompt", "new_token"];
        string[] fields = ["ms_median", "ms_min", "ratio"];
        foreach (var (variant, run, field) in from v in variants from r in runs from f in fields select (v, r, f))
            Assert.True((double)json[variant]![run]![field]! > 0, $"{variant} {run} {field}");
        Assert.All(variants, v => Assert.True((double)json[v]!["evaluation"]!["tokens_per_second"]! > 0, v));
    }

    [Fact]
    public void Bench_OfInference_ShowsALinePerVariant()
    {
        var lines = CliRun.Of(Inference()).Succeeded().Output.TrimEnd('\n').Split('\n');

        Assert.Contains("new token", lines[^4], StringComparison.Ordinal);
        Assert.StartsWith("base ", lines[^3], StringComparison.Ordinal);
        Assert.StartsWith("unmerged ", lines[^2], StringComparison.Ordinal);
        Assert.Matches(@"^merged .* ms .* ms .* ms ", lines[^1]);
    }

    [Fact]
    public void Bench_OfInferenceWithAPrompt_SaysThatItCannotBeMerged()
    {
        string[] prompt = [.. Inference(), "--method", "prompt-tuning", "--num-virtual-tokens", "4"];

        var output = CliRun.Of(prompt).Succeeded().Output;
        var json = CliRun.Of([.. prompt, "--json"]).Succeeded().Json;

        Assert.Contains("this method cannot be merged", output, StringComparison.Ordinal);
        Assert.Null(json["merged"]);
        Assert.NotNull(json["unmerged"]);
    }

    [Theory]
    [InlineData("hf442_g2l_legacymerged_op13__decoder_model_merged", "branches", "lora", "the adapter merged")]
    [InlineData("hf442_g2l_legacymerged_op13__decoder_model_merged", "branches", "prefix-tuning", "without a cache")]
    [InlineData("hf442_g2l_nopast_op13", "no cache", "lora", "whole sequence")]
    public void Bench_OfInferenceThatRunsOtherwise_SaysSo(string graph, string what, string method, string how)
    {
        var file = Path.Combine(Fixtures.Folder, "graphs", $"{graph}.onnx");

        var output = CliRun.Of([.. Inference(file), "--method", method]).Succeeded().Output;

        var note = Assert.Single(output.Split('\n'), static l => l.StartsWith("Note: ", StringComparison.Ordinal));
        Assert.Contains(what, note, StringComparison.Ordinal);
        Assert.Contains(how, note, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--what", "sleeping", "training, inference or serving")]
    [InlineData("--prompt-tokens", "8", "--what inference")]
    [InlineData("--new-tokens", "8", "--what inference")]
    public void Bench_WithAnOptionOfAnotherKind_NamesIt(string option, string value, string allowed) =>
        CliRun.Of("bench", place.Model, option, value).Refused(2, option, allowed);

    [Theory]
    [InlineData("--prompt-tokens", "5000", "positions")]
    [InlineData("--prompt-tokens", "0", "at least 1")]
    [InlineData("--new-tokens", "1", "at least 2")]
    [InlineData("--seq-len", "5000", "positions")]
    [InlineData("--steps", "0", "at least 1")]
    public void Bench_OfInferenceWithAWrongValue_SaysWhatItMayBe(string option, string value, string allowed) =>
        CliRun.Of("bench", place.Model, "--what", "inference", option, value).Refused(2, allowed);

    [Fact]
    public void Bench_OfInferenceWithAProfile_IsRefused() =>
        CliRun.Of("bench", place.Model, "--what", "inference", "--profile").Refused(2, "--profile", "training");

    [Theory]
    [InlineData("--micro-batch-tokens", "128")]
    [InlineData("--without", "pad-rows")]
    public void Bench_OfInferenceWithASpeedOfTraining_SaysWhatItIsFor(string option, string value) =>
        CliRun.Of("bench", place.Model, "--what", "inference", option, value).Refused(2, option, "training");

    private string[] Inference(string? model = null) =>
    [
        "bench", model ?? place.Model, "--what", "inference", "--batch-size", "2", "--seq-len", "8",
        "--prompt-tokens", "4", "--new-tokens", "3", "--steps", "1", "--warmup-steps", "1", "--threads", "1",
    ];

    [Theory]
    [InlineData("--seq-len", "5000", "positions")]
    [InlineData("--steps", "0", "at least 1")]
    [InlineData("--supervised", "2", "up to 1")]
    public void Bench_WithAWrongValue_SaysWhatItMayBe(string option, string value, string allowed) =>
        CliRun.Of("bench", place.Model, option, value).Refused(2, value, allowed);
}
