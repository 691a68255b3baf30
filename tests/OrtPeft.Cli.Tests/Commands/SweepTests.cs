using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>Many runs of one file.</summary>
public sealed class SweepTests(Workplace place) : IClassFixture<Workplace>
{
    private const string Grid = "  lr: [1e-3, 5e-2]\n  rank: [1, 2]\n";

    [Fact]
    public void Sweep_OfLists_TrainsEachCombination_AndRanksThem()
    {
        var folder = place.Fresh();

        var run = Sweep(Grid, folder).Succeeded();

        Assert.Contains("run-003 of 4: lr 5e-2, rank 1", run.Output, StringComparison.Ordinal);
        Assert.Matches(@"run +lr +rank +best eval loss +at step\nrun-00[34] ", run.Output);
        var page = System.IO.File.ReadAllText(Path.Combine(folder, "sweep.html"));
        Assert.Contains("run-002: lr 1e-3, rank 2", page, StringComparison.Ordinal);
        Assert.Equal(2, (int)Config(folder, "run-004")["r"]!);
        Assert.Equal(1, (int)Config(folder, "run-003")["r"]!);
    }

    /// <summary>A run of a sweep is the run that train does by itself.</summary>
    [Fact]
    public void Sweep_LeavesRunsThatRepeat()
    {
        var (folder, alone) = (place.Fresh(), place.Fresh());
        Sweep("  lr: [0.01]\n", folder).Succeeded();

        CliRun.Of("train", "--config", Path.Combine(folder, "run-001", "run.yaml"), "--out", alone).Succeeded();

        Assert.Equal(Weights(Path.Combine(folder, "run-001")), Weights(alone));
    }

    [Fact]
    public void Sweep_Drawing_DrawsTheSameBySeed_WithinTheRanges()
    {
        const string Swept = "  lr: {min: 1e-4, max: 1e-2, log: true}\n  rank: {min: 1, max: 3}\n  dropout: [0, 0.1]\n";

        var settings = new[] { "1", "1", "2" }.Select(seed => Sweep(
                Swept, place.Fresh(), "--runs", "3", "--seed", seed, "--json").Succeeded().Json["runs"]!.AsArray()
            .Select(static r => r!["settings"]!.ToJsonString()).ToArray()).ToArray();

        Assert.Equal(settings[0], settings[1]);
        Assert.NotEqual(settings[0], settings[2]);
        Assert.Equal(3, settings[0].Distinct().Count());
        Assert.All(settings[0].Select(static s => JsonNode.Parse(s)!), static s =>
        {
            Assert.InRange(double.Parse((string)s["lr"]!, System.Globalization.CultureInfo.InvariantCulture), 1e-4, 1e-2);
            Assert.Contains((string)s["rank"]!, new[] { "1", "2", "3" });
        });
    }

    [Fact]
    public void Sweep_InWhichARunFails_GoesOnAndSaysSo()
    {
        var run = Sweep("  lr: [1e30, 1e-3]\n", place.Fresh(), "--json").Succeeded();

        Assert.Contains("loss is", (string?)run.Json["runs"]![0]!["error"], StringComparison.Ordinal);
        Assert.Equal("run-002", (string?)run.Json["best"]);
        Assert.Null(run.Json["runs"]![1]!["error"]);
    }

    [Fact]
    public void Sweep_ThatIsInterrupted_GoesOnWhereItWas()
    {
        var (folder, whole) = (place.Fresh(), place.Fresh());
        var file = File(Grid);
        Assert.Equal(130, CliRun.InterruptedAt("run-002 of 4", "sweep", file, "--out", folder).ExitCode);
        Assert.False(Directory.Exists(Path.Combine(folder, "run-003")));

        var run = CliRun.Of("sweep", file, "--out", folder, "--resume").Succeeded();
        CliRun.Of("sweep", file, "--out", whole).Succeeded();

        Assert.DoesNotContain("run-001 of 4", run.Output, StringComparison.Ordinal);
        foreach (var name in new[] { "run-001", "run-002", "run-004" })
            Assert.Equal(Weights(Path.Combine(whole, name)), Weights(Path.Combine(folder, name)));
        CliRun.Of("sweep", File("  lr: [1e-3]\n"), "--out", folder, "--resume").Refused(2, folder, "give the same file");
    }

    [Theory]
    [InlineData("  lr: {min: 1, max: 2}\n", "lr has a range", "--runs")]
    [InlineData("  lr: {min: 2, max: 1}\n", "min is not below max")]
    [InlineData("  lr: {min: 0, max: 1, log: true}\n", "above 0")]
    [InlineData("  lr: {min: 0, max: 1, step: 1}\n", "not 'step'")]
    [InlineData("  lr: 1e-3\n", "must be a list")]
    [InlineData("  lrr: [1]\n", "did you mean")]
    [InlineData("  out: [a, b]\n", "cannot be swept")]
    [InlineData("  metric: [loss, perplexity]\n", "runs are compared by metric")]
    [InlineData("  val-split: [0.1, 0.2]\n", "runs are compared by val-split")]
    [InlineData("  lr: [1e-3, fast]\n", "--lr is 'fast'")]
    [InlineData("", "there is no key 'sweep'")]
    public void Sweep_OfABadFile_IsRefusedBeforeItTrains(string swept, params string[] parts)
    {
        var folder = place.Fresh();

        Sweep(swept, folder).Refused(2, parts);

        Assert.False(Directory.Exists(Path.Combine(folder, "run-001")));
    }

    /// <summary>Another seed holds other rows out.</summary>
    [Fact]
    public void Sweep_OverSeedsWithASplit_Warns()
    {
        var run = Sweep("  seed: [5]\n", place.Fresh());

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("--seed draws the rows of --val-split", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Sweep_WhereSomethingIs_IsRefused()
    {
        var folder = place.Fresh();
        place.Write(Path.Combine(Path.GetFileName(folder), "notes.txt"), "mine");

        Sweep(Grid, folder).Refused(2, "is not empty");
        Sweep(Grid, folder, "--resume").Refused(2, "nothing can be resumed");
    }

    private static string Weights(string folder) =>
        Convert.ToHexString(System.IO.File.ReadAllBytes(Path.Combine(folder, "adapter_model.safetensors")));

    private static JsonNode Config(string folder, string run) =>
        JsonNode.Parse(System.IO.File.ReadAllText(Path.Combine(folder, run, "adapter_config.json")))!;

    private string File(string swept) => place.Write(
        $"sweep-{Math.Abs(swept.GetHashCode(StringComparison.Ordinal))}.yaml",
        $"model: {place.Model}\ndata: {place.Rows}\nval-split: 0.25\nbatch-size: 2\nthreads: 1\nsteps: 3\nlr: 7\n"
        + (swept.Length > 0 ? $"sweep:\n{swept}" : ""));

    private CliRun Sweep(string swept, string folder, params string[] options) =>
        CliRun.Of(["sweep", File(swept), "--out", folder, .. options]);
}
