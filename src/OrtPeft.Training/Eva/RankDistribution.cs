namespace OrtPeft.Training.Eva;

/// <summary>
/// Gives the axes with the largest parts of their layers' variances a rank each, until the sum of all ranks is spent.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2410.07170">Paischer et al., EVA, algorithm 1.</seealso>
internal static class RankDistribution
{
    /// <param name="ratios">By layer, the variance parts of as many axes as it may take.</param>
    /// <param name="budget">The sum of the ranks.</param>
    /// <returns>The rank by layer, 0 where nothing is left.</returns>
    public static Dictionary<string, int> Of(
        IReadOnlyList<(string Layer, IReadOnlyList<double> Ratios)> ratios, int budget)
    {
        var ranks = ratios.ToDictionary(static r => r.Layer, static _ => 0, StringComparer.Ordinal);
        var best = ratios.SelectMany(static r => r.Ratios.Select(ratio => (r.Layer, Ratio: ratio)))
            .OrderByDescending(static r => r.Ratio).Take(budget);
        foreach (var (layer, _) in best)
            ranks[layer]++;
        return ranks;
    }
}
