using System.Diagnostics;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Fuzzing;

/// <summary>What became of one damaged file.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Seed">What makes it again.</param>
/// <param name="ExitCode">The first exit code that is not 0; null where the command did not come back.</param>
/// <param name="Problem">What the command must not do, or null.</param>
/// <param name="Time">How long it took.</param>
internal sealed record FuzzRun(string Kind, int Seed, int? ExitCode, string? Problem, TimeSpan Time)
{
    /// <summary>Generous, since other tests run beside; what blows up takes minutes.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Makes an input from a seed and runs every verb that reads it until one does not succeed.</summary>
    public static FuzzRun Of(FuzzPlace place, FuzzKind kind, int seed)
    {
        var random = new Random(seed);
        var seeds = kind.Seeds(place);
        var source = seeds[random.Next(seeds.Count)];
        var folder = place.Copy(seed, source);
        var file = Path.Combine(folder, Path.GetFileName(source));
        File.WriteAllBytes(file, kind.Damage(File.ReadAllBytes(source), random));
        var time = Stopwatch.StartNew();
        var (code, problem) = Run(kind.Verbs(place, file));
        if (code is not null)
            FuzzPlace.Remove(folder);
        return new FuzzRun(kind.Name, seed, code, problem, time.Elapsed);
    }

    private static (int? Code, string? Problem) Run(IReadOnlyList<string[]> verbs)
    {
        foreach (var verb in verbs)
        {
            var run = Task.Run(() => CliRun.Of(verb));
            if (!run.Wait(Limit))
                return (null, $"{string.Join(' ', verb)}: no end in {Limit}");
            if (run.Result.ExitCode != 0)
                return (run.Result.ExitCode, ProblemOf(run.Result) is { } problem
                    ? $"{string.Join(' ', verb)}: {problem}"
                    : null);
        }

        return (0, null);
    }

    /// <summary>One line that names what is wrong; no bug of ours, and nothing of ONNX Runtime's as it came.</summary>
    private static string? ProblemOf(CliRun run)
    {
        var lines = run.Error.TrimEnd('\n').Split('\n')
            .Where(static l => !l.StartsWith("ortpeft: warning: ", StringComparison.Ordinal)).ToArray();
        string[] forbidden = ["Bug:", "ONNX Runtime: ", "[ErrorCode", "(Parameter '", "   at OrtPeft."];
        if (run.ExitCode is not (1 or 2) || lines is not [var line] || !line.StartsWith("ortpeft: ", StringComparison.Ordinal))
            return $"exit code {run.ExitCode}, {lines.Length} lines: {run.Error}";
        return forbidden.Any(word => line.Contains(word, StringComparison.Ordinal)) ? line : null;
    }
}
