using System.Collections.Frozen;

namespace OrtPeft.Adapters.Weighted;

/// <summary>Weighted sums of tensors of one shape, element by element.</summary>
/// <seealso href="https://arxiv.org/abs/2306.01708">Yadav et al., TIES-Merging, section 3.</seealso>
/// <seealso href="https://arxiv.org/abs/2311.03099">Yu et al., DARE, equation 3.</seealso>
internal static class TaskVectors
{
    private static readonly FrozenDictionary<string, Func<double, double>> Votes =
        new Dictionary<string, Func<double, double>>(StringComparer.Ordinal)
        {
            ["total"] = static v => v,
            ["frequency"] = static v => Math.Sign(v),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The values that may elect a sign.</summary>
    public static IEnumerable<string> MajoritySignMethods => Votes.Keys.Order(StringComparer.Ordinal);

    /// <summary>Σ wᵢ·vᵢ.</summary>
    public static double[] Sum(IReadOnlyList<double[]> vectors, IReadOnlyList<double> weights)
    {
        var sum = new double[vectors[0].Length];
        foreach (var (vector, weight) in vectors.Zip(weights))
            for (var at = 0; at < sum.Length; at++)
                sum[at] += weight * vector[at];
        return sum;
    }

    /// <summary>
    /// The mean of wᵢ·vᵢ over those vᵢ that have the elected sign; a vote without a winner goes to the positive ones.
    /// </summary>
    public static double[] DisjointMean(
        IReadOnlyList<double[]> vectors, IReadOnlyList<double> weights, string majoritySignMethod)
    {
        var vote = Votes[majoritySignMethod];
        var mean = new double[vectors[0].Length];
        for (var at = 0; at < mean.Length; at++)
        {
            var elected = vectors.Sum(v => vote(v[at])) >= 0 ? 1 : -1;
            var (sum, count) = (0.0, 0);
            foreach (var (vector, weight) in vectors.Zip(weights))
            {
                if (Math.Sign(vector[at]) != elected)
                    continue;
                sum += weight * vector[at];
                count++;
            }

            mean[at] = sum / Math.Max(count, 1);
        }

        return mean;
    }

    /// <summary>Keeps the ⌊density·n⌋ elements of the largest magnitude, the first ones of equal magnitude.</summary>
    public static double[] Trimmed(double[] vector, double density)
    {
        var kept = new double[vector.Length];
        var count = (int)(density * vector.Length);
        foreach (var at in Enumerable.Range(0, vector.Length).OrderByDescending(i => Math.Abs(vector[i])).Take(count))
            kept[at] = vector[at];
        return kept;
    }

    /// <summary>Keeps each element with the probability density and divides it by that.</summary>
    public static double[] Dropped(double[] vector, double density, Tensors.Numerics.SplitMix64 random) =>
        density >= 1 ? vector : [.. vector.Select(v => random.NextDouble() < density ? v / density : 0)];
}
