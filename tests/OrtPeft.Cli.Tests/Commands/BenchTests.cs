using OrtPeft.Cli.Tests.Running;

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
            "load_seconds",
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

    [Theory]
    [InlineData("--seq-len", "5000", "positions")]
    [InlineData("--steps", "0", "at least 1")]
    [InlineData("--supervised", "2", "up to 1")]
    public void Bench_WithAWrongValue_SaysWhatItMayBe(string option, string value, string allowed) =>
        CliRun.Of("bench", place.Model, option, value).Refused(2, value, allowed);
}
