using System.Diagnostics;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Distributed;

/// <summary>Training under the launchers of Open MPI and MPICH.</summary>
public sealed class MpirunTests(Workplace place) : IClassFixture<Workplace>
{
    public static TheoryData<string> Launchers => [.. Mpirun.Names];

    [MpiTheory]
    [MemberData(nameof(Launchers))]
    public void Train_OfTwoProcesses_IsOneRun(string launcher)
    {
        var (alone, together) = (place.Fresh(), place.Fresh());
        CliRun.Of([.. Words(alone), "--batch-size", "4"]).Succeeded();

        using var run = Mpirun.Start(launcher, [.. Words(together), "--batch-size", "2"]);
        var (code, output, error) = run.End();

        Assert.True(code == 0, error + output);
        Assert.Contains("processes: 2, each with 2 rows of a batch", output, StringComparison.Ordinal);
        Assert.Single(output.Split('\n'), static line => line.Contains("trainable params", StringComparison.Ordinal));
        var (one, several) = (Losses(alone), Losses(together));
        Assert.Equal(6, several.Length);
        Assert.All(one.Zip(several), static pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    /// <summary>As <c>srun</c> does without <c>--mpi</c>, unless Slurm's configuration names one.</summary>
    [Fact]
    public void Train_WhereSrunStartedTasksApart_SaysSo()
    {
        string[] words = [Path.Combine(AppContext.BaseDirectory, "ortpeft.dll"), .. Words(place.Fresh()), "--dry-run"];
        var start = new ProcessStartInfo("dotnet", words) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SLURM_STEP_NUM_TASKS"] = "2";
        using var process = Process.Start(start)!;

        var (error, output) = (process.StandardError.ReadToEnd(), process.StandardOutput.ReadToEnd());

        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error + output);
        Assert.Contains("srun started 2 tasks that know nothing of each other", error, StringComparison.Ordinal);
    }

    [MpiTheory]
    [MemberData(nameof(Launchers))]
    public void Train_WhereOneIsToDoSomethingElse_EndsAll_AndNamesIt(string launcher)
    {
        using var run = Mpirun.Start(launcher, Words(place.Fresh()), ["--seed", "9"]);

        var (code, _, error) = run.End();

        Assert.NotEqual(0, code);
        Assert.Contains("ortpeft: Rank 1 has another 'seed' than rank 0", error, StringComparison.Ordinal);
    }

    /// <summary>A process that ends before it has joined would be waited for.</summary>
    [MpiTheory]
    [MemberData(nameof(Launchers))]
    public void Train_WhereOneIsGivenWrongOptions_EndsAll(string launcher)
    {
        using var run = Mpirun.Start(launcher, Words(place.Fresh()), ["--no-such-option"]);

        var (code, _, error) = run.End();

        Assert.NotEqual(0, code);
        Assert.Contains("rank 1: ortpeft: There is no option --no-such-option", error, StringComparison.Ordinal);
    }

    [MpiTheory]
    [MemberData(nameof(Launchers))]
    public void Train_WhereOneIsKilled_EndsAll_AndResumesFromAWholeCheckpoint(string launcher)
    {
        var folder = place.Fresh();
        var checkpoint = Path.Combine(folder, "checkpoint.safetensors");
        string[] words = [.. Words(folder, steps: 100_000), "--checkpoint-steps", "1", "--batch-size", "2"];
        using (var run = Mpirun.Start(launcher, words))
        {
            Assert.True(SpinWait.SpinUntil(() => File.Exists(checkpoint), TimeSpan.FromMinutes(1)));
            run.KillOne();
            Assert.NotEqual(0, run.End().ExitCode);
        }

        using var resumed = Mpirun.Start(launcher, [.. words, "--resume"]);
        var before = File.GetLastWriteTimeUtc(checkpoint);
        Assert.True(SpinWait.SpinUntil(() => File.GetLastWriteTimeUtc(checkpoint) > before, TimeSpan.FromMinutes(1)));
    }

    private string[] Words(string folder, int steps = 6) =>
    [
        "train", place.Model, "--data", place.Rows, "--out", folder, "--rank", "2", "--steps", $"{steps}", "--lr", "1e-3",
        "--threads", "1",
    ];

    private static double[] Losses(string folder) =>
    [
        .. File.ReadLines(Path.Combine(folder, "metrics.jsonl")).Select(static line => JsonNode.Parse(line)!)
            .Where(static row => row["loss"] is not null).Select(static row => (double)row["loss"]!),
    ];
}
