using System.Text.Json;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>How runs go on, and what they say where they do not.</summary>
public sealed class ResumeTests(Workplace place) : IClassFixture<Workplace>
{
    [Fact]
    public void Train_ResumedWithMoreSteps_GoesOnAndSaysSo()
    {
        var folder = place.Fresh();
        Train(folder, "--steps", "2").Succeeded();

        var run = Train(folder, "--steps", "4", "--resume").Succeeded();

        Assert.Contains("The run of 2 steps is extended to 4: ", run.Output, StringComparison.Ordinal);
        Assert.Contains("after 4 steps", run.Output, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3, 4], Steps(folder));
        Assert.Contains("Step 4, ", File.ReadAllText(Path.Combine(folder, "report.html")), StringComparison.Ordinal);
    }

    /// <summary>The alpha follows the rank unless it is given, and was not typed.</summary>
    [Theory]
    [InlineData("--rank", "2", "--rank is another than in the run", "4 then, 2 now (lora_alpha")]
    [InlineData("--alpha", "2", "--alpha is another", "8 then, 2 now")]
    [InlineData("--lr", "0.5", "--lr is another", "0.0002 then, 0.5 now")]
    [InlineData("--batch-size", "3", "--batch-size is another", "2 then, 3 now")]
    [InlineData("--steps", "2", "--steps is another", "as many steps or more")]
    public void Train_ResumedWithAnotherSetting_NamesTheOptionThatWasTyped(string option, string value, params string[] parts)
    {
        var folder = place.Fresh();
        Train(folder, "--rank", "4", "--steps", "3").Succeeded();

        var rank = option == "--rank" ? (string[])[] : ["--rank", "4"];
        var steps = option == "--steps" ? (string[])[] : ["--steps", "3"];
        Train(folder, [.. rank, .. steps, "--resume", option, value]).Refused(2, [.. parts, folder]);
    }

    [Fact]
    public void Train_AtTheFirstInterruption_AnswersAtOnce()
    {
        var run = CliRun.InterruptedAt("step 1/9", Words(place.Fresh(), "--steps", "9"));

        Assert.Equal(130, run.ExitCode);
        Assert.Contains(
            "Stopping after this step; press Ctrl-C again to quit without saving.\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_KeepingTheTop_LeavesThatManyThatLoad()
    {
        var folder = place.Fresh();
        string[] options = ["--val-split", "0.25", "--eval-steps", "1", "--keep-top", "2", "--lr", "0.05"];

        var run = Train(folder, [.. options, "--steps", "4"]).Succeeded();

        Assert.Equal(Best(folder, 2), Kept(folder));
        Assert.Contains($"Kept in {Path.Combine(folder, "top")}, best first: step-", run.Output, StringComparison.Ordinal);
        var losses = Kept(folder).Select(step => CliRun.Of(
            "eval", place.Model, "--adapter", Path.Combine(folder, "top", step), "--data", place.Rows, "--json").Succeeded()
            .Json["loss"]!.GetValue<double>());
        Assert.Equal(2, losses.Distinct().Count());

        Train(folder, [.. options, "--steps", "7", "--resume"]).Succeeded();
        Assert.Equal(Best(folder, 2), Kept(folder));
    }

    [Fact]
    public void Train_WhereAnotherTopIs_IsRefused_AndReplacesItsOwnAlone()
    {
        var folder = place.Fresh();
        var note = place.Write(Path.Combine(Path.GetFileName(folder), "top", "step-000001", "notes.txt"), "precious");
        string[] options = ["--val-split", "0.25", "--eval-steps", "1", "--keep-top", "1", "--steps", "3"];

        Train(folder, options).Refused(2, "top is there already", "--overwrite");
        Train(folder, [.. options, "--overwrite"]).Succeeded();

        Assert.Equal("precious", File.ReadAllText(note));
    }

    [Theory]
    [InlineData("2", "give --eval-data or --val-split")]
    [InlineData("0", "give --eval-data or --val-split")]
    public void Train_KeepingTheTopWithoutRowsToEvaluate_IsRefused(string count, string reason) =>
        Train(place.Fresh(), "--keep-top", count).Refused(2, "--keep-top", reason);

    private static string[] Kept(string folder) =>
        [.. Directory.GetDirectories(Path.Combine(folder, "top")).Select(static p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];

    /// <summary>The names of the best steps, by what the run wrote down.</summary>
    private static string[] Best(string folder, int count) =>
    [
        .. Rows(folder).Where(static r => r.TryGetProperty("eval_loss", out _) && r.GetProperty("step").GetInt32() > 0)
            .OrderBy(static r => r.GetProperty("eval_loss").GetDouble()).Take(count)
            .Select(static r => $"step-{r.GetProperty("step").GetInt32():000000}").Order(StringComparer.Ordinal),
    ];

    private static IEnumerable<int> Steps(string folder) =>
        Rows(folder).Where(static r => r.TryGetProperty("loss", out _)).Select(static r => r.GetProperty("step").GetInt32());

    private static JsonElement[] Rows(string folder) =>
        [.. File.ReadLines(Path.Combine(folder, "metrics.jsonl")).Select(static line => JsonDocument.Parse(line).RootElement)];

    private string[] Words(string folder, params string[] options)
    {
        string[] batch = options.Contains("--batch-size") ? [] : ["--batch-size", "2"];
        return ["train", place.Model, "--data", place.Rows, "--out", folder, "--threads", "1", .. batch, .. options];
    }

    private CliRun Train(string folder, params string[] options) => CliRun.Of(Words(folder, options));
}
