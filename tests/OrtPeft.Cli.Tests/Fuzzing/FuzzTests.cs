using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Xunit.Abstractions;

namespace OrtPeft.Cli.Tests.Fuzzing;

/// <summary>
/// Damaged files of every kind, through the command: exit code 0 or 2, or 1 where it failed while running, in one line,
/// never a bug of ours, never ONNX Runtime's words as they came, always an end. <c>scripts/fuzz.sh</c> runs more of
/// them, with the environment variables that are read here.
/// </summary>
public sealed class FuzzTests(FuzzPlace place, ITestOutputHelper output) : IClassFixture<FuzzPlace>
{
    private const int Inputs = 120;
    private const int Seed = 20261;

    /// <summary>Native and managed memory after all inputs; sessions and mappings that leak take more.</summary>
    private const long MostGrowth = 1L << 30;

    [Fact]
    public void Run_OnDamagedFiles_SaysWhatIsWrong()
    {
        var (inputs, seed) = (Number("ORTPEFT_FUZZ_INPUTS", Inputs), Number("ORTPEFT_FUZZ_SEED", Seed));
        var only = Environment.GetEnvironmentVariable("ORTPEFT_FUZZ_KIND");
        var kinds = FuzzKind.All.Where(k => only is null || k.Name == only)
            .SelectMany(static k => Enumerable.Repeat(k, k.Weight)).ToArray();
        var runs = new ConcurrentBag<FuzzRun>();
        var before = Process.GetCurrentProcess().WorkingSet64;

        Parallel.For(
            0,
            inputs,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            i => runs.Add(FuzzRun.Of(place, kinds[i % kinds.Length], seed + i)));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var growth = Process.GetCurrentProcess().WorkingSet64 - before;

        var report = Report(runs, growth);
        output.WriteLine(report);
        if (Environment.GetEnvironmentVariable("ORTPEFT_FUZZ_REPORT") is { Length: > 0 } path)
            File.WriteAllText(path, report);
        Assert.True(runs.All(static r => r.Problem is null), report);
        Assert.True(runs.Select(static r => r.ExitCode).Distinct().Count() > 1, report);
        Assert.True(growth < MostGrowth, report);
    }

    private static string Report(IReadOnlyCollection<FuzzRun> runs, long growth)
    {
        var text = new StringBuilder();
        text.AppendLine("kind                 inputs  exit 0  exit 2  exit 1  problems  slowest ms");
        foreach (var kind in runs.GroupBy(static r => r.Kind).OrderBy(static k => k.Key, StringComparer.Ordinal))
        {
            int Count(int code) => kind.Count(r => r.ExitCode == code && r.Problem is null);
            var problems = kind.Count(static r => r.Problem is not null);
            var slowest = kind.Max(static r => r.Time.TotalMilliseconds);
            text.AppendLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{kind.Key,-20} {kind.Count(),6} {Count(0),7} {Count(2),7} {Count(1),7} {problems,9} {slowest,11:0}"));
        }

        text.AppendLine(string.Create(CultureInfo.InvariantCulture, $"memory grew by {growth >> 20} MiB"));
        foreach (var run in runs.Where(static r => r.Problem is not null).OrderBy(static r => r.Seed))
            text.AppendLine(CultureInfo.InvariantCulture, $"seed {run.Seed}, {run.Kind}: {run.Problem}");
        return text.ToString();
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number)
            ? number
            : otherwise;
}
