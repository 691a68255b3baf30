using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class DryRunTests(Workplace place) : IClassFixture<Workplace>
{
    [Fact]
    public void DryRun_SaysWhatTheRunWouldBe_AndLeavesNothing()
    {
        var folder = place.Fresh();

        var run = Train(place.Rows, folder).Succeeded();

        Assert.Contains("rows: 12, 0 cut, 0 dropped, 0 with errors, ", run.Output, StringComparison.Ordinal);
        Assert.Contains("% of them learned", run.Output, StringComparison.Ordinal);
        Assert.Contains("memory: about ", run.Output, StringComparison.Ordinal);
        Assert.Contains("nothing was trained", run.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void DryRun_AsJson_HasTheRunsFigures()
    {
        var dry = Train(place.Rows, place.Fresh(), "--json").Succeeded().Json;

        Assert.Equal(12, (int)dry["rows"]!);
        Assert.Equal((int)dry["tokens"]! - 12, (int)dry["supervised"]!); // nothing foretells a row's first token
        Assert.Equal(3, (int)dry["steps"]!);
        Assert.True((long)dry["memory_bytes"]! > 0);
    }

    [Fact]
    public void DryRun_OverAnAdapter_LeavesItAsItIs()
    {
        var folder = place.Fresh();
        CliRun.Of("train", place.Model, "--data", place.Rows, "--out", folder, "--steps", "2").Succeeded();
        var before = Content(folder);

        Train(place.Rows, folder, "--overwrite").Succeeded();

        Assert.Equal(before, Content(folder));
        Train(place.Rows, folder).Refused(2, "--overwrite");
    }

    [Fact]
    public void DryRun_OfRowsThatCannotBeRead_CountsThemAll()
    {
        var rows = place.Write("faulty.jsonl", "{\"text\":1}\n{\"text\":\"the cat\"}\n{\"text\":2}\n");

        var run = Train(rows, place.Fresh());

        run.Refused(2, "2 rows cannot be read", "faulty.jsonl");
        Assert.Contains("2 with errors", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void DryRun_OfArtifacts_BuildsThemToo()
    {
        var (artifacts, folder) = (place.Fresh(), place.Fresh());
        CliRun.Of("artifacts", place.Model, "--out", artifacts).Succeeded();

        var run = CliRun.Of("train", artifacts, "--data", place.Rows, "--out", folder, "--dry-run").Succeeded();

        Assert.Contains("rows: 12, ", run.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void DryRun_OfStandardInput_ReadsItOnce()
    {
        var input = File.ReadAllText(place.Rows);

        var run = CliRun.With(input, "train", place.Model, "--data", "-", "--out", place.Fresh(), "--dry-run");

        Assert.Contains("data: 12 rows", run.Succeeded().Output, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Content(string folder) => Directory.GetFiles(folder)
        .ToDictionary(static file => file, static file => Convert.ToHexString(File.ReadAllBytes(file)));

    private CliRun Train(string rows, string folder, params string[] options)
    {
        string[] length = ["--epochs", "1", "--batch-size", "4"];
        return CliRun.Of(
            ["train", place.Model, "--data", rows, "--out", folder, "--dry-run", .. length, .. options]);
    }
}
