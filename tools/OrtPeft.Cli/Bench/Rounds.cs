namespace OrtPeft.Cli.Bench;

/// <summary>Runs variants in turn, A B C A B C, and compares each with the first.</summary>
internal static class Rounds
{
    /// <summary>The measurements: by round, then by variant, without the rounds that warm up.</summary>
    public static T[][] Of<TVariant, T>(
        InferenceBenchmarkOptions options, IReadOnlyList<TVariant> variants, Func<TVariant, T> measure)
    {
        var rounds = Enumerable.Range(0, options.WarmupRounds + options.Rounds)
            .Select(_ => variants.Select(measure).ToArray())
            .ToArray();
        return rounds[options.WarmupRounds..];
    }

    /// <summary>The times of every variant over all rounds.</summary>
    public static RunTimes[] Compare<T>(T[][] rounds, Func<T, TimeSpan> timeOf)
    {
        var times = rounds.Select(round => round.Select(m => timeOf(m).TotalMilliseconds).ToArray()).ToArray();
        return [.. times[0].Select((_, variant) => new RunTimes(
            Sample.Median(times.Select(round => round[variant])),
            times.Min(round => round[variant]),
            Sample.Median(times.Select(round => round[variant] / round[0]))))];
    }
}
