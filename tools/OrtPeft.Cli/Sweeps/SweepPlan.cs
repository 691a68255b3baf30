using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Reporting;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Cli.Sweeps;

/// <summary>The runs of a sweep: the value of each swept key in each.</summary>
internal static class SweepPlan
{
    private const int MostRuns = 10_000;
    private const int TriesForAnother = 100;

    /// <summary>Every combination; the last key changes fastest.</summary>
    /// <exception cref="UsageException">A key has a range, or there are too many.</exception>
    public static IReadOnlyList<IReadOnlyList<string>> Grid(IReadOnlyList<SweptKey> keys)
    {
        if (keys.FirstOrDefault(static k => k.Range is not null) is { } endless)
            throw new UsageException($"{endless.Key} has a range, of which there are endless values; give --runs to draw some.");
        var count = keys.Aggregate(1L, static (product, k) => Math.Min(product * k.Values.Count, int.MaxValue));
        if (count > MostRuns)
            throw new UsageException($"the combinations are {Human.Count(count)}; give --runs to draw some of them.");
        IEnumerable<IReadOnlyList<string>> runs = [[]];
        foreach (var key in keys)
            runs = [.. runs.SelectMany(run => key.Values.Select(IReadOnlyList<string> (value) => [.. run, value]))];
        return [.. runs];
    }

    /// <summary>Draws combinations, each once; fewer where there are no more.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Random(IReadOnlyList<SweptKey> keys, int count, long seed)
    {
        if (count > MostRuns)
            throw new UsageException($"--runs is {Human.Count(count)}; it must be at most {Human.Count(MostRuns)}.");
        var random = new SplitMix64(seed, "sweep");
        var (runs, seen) = (new List<IReadOnlyList<string>>(), new HashSet<string>(StringComparer.Ordinal));
        for (var tries = 0; runs.Count < count && tries < TriesForAnother; tries++)
        {
            string[] run = [.. keys.Select(key => key.Draw(random))];
            if (!seen.Add(string.Join('\n', run)))
                continue;
            runs.Add(run);
            tries = -1;
        }

        return runs;
    }
}
