using System.Collections.Frozen;
using System.Globalization;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Adapters.Weighted;

/// <summary>The ways to combine adapters, by HF PEFT's names. A new one is a row here.</summary>
internal static class CombinationTypes
{
    private static readonly (string Name, CombinationType Type)[] Rows =
    [
        ("svd", new(FactoredSum.Truncated) { HasSvd = true }),
        ("cat", new(static (layer, _) => FactoredSum.Concatenated(layer))),
        ("linear", OfFactors(Linear)),
        ("ties", OfFactors(Ties) with { Prunes = true }),
        ("ties_svd", OfProducts(Ties)),
        ("dare_linear", OfFactors(DareLinear) with { Prunes = true }),
        ("dare_linear_svd", OfProducts(DareLinear)),
        ("dare_ties", OfFactors(DareTies) with { Prunes = true }),
        ("dare_ties_svd", OfProducts(DareTies)),
        ("magnitude_prune", OfFactors(MagnitudePrune) with { Prunes = true }),
        ("magnitude_prune_svd", OfProducts(MagnitudePrune)),
    ];

    private static readonly FrozenDictionary<string, CombinationType> ByName =
        Rows.ToFrozenDictionary(static r => r.Name, static r => r.Type, StringComparer.Ordinal);

    /// <summary>All names, in the order of the table.</summary>
    public static IReadOnlyList<string> Names => [.. Rows.Select(static r => r.Name)];

    /// <summary>Finds a way and checks that the other fields go with it.</summary>
    /// <exception cref="ConfigException">A field is wrong; the message names it.</exception>
    public static CombinationType Of(WeightedCombination how)
    {
        var name = how.CombinationType;
        var type = ByName.GetValueOrDefault(name) ?? throw new ConfigException(
            $"combination_type is '{name}'; it must be one of {string.Join(", ", Names)}.");
        if (type.HasSvd ? how.SvdRank is < 1 : how.SvdRank is not null)
            throw new ConfigException(
                $"svd_rank is {how.SvdRank}; it goes with svd and …_svd alone, and is at least 1 there.");
        if (type.Prunes ? how.Density is not (> 0 and <= 1) : how.Density is not null)
            throw new ConfigException(
                $"density is {how.Density?.ToString(CultureInfo.InvariantCulture) ?? "missing"} for '{name}'; "
                + "ties, dare_… and magnitude_prune need one above 0 and at most 1, the others take none.");
        if (!TaskVectors.MajoritySignMethods.Contains(how.MajoritySignMethod))
            throw new ConfigException(
                $"majority_sign_method is '{how.MajoritySignMethod}'; it must be one of "
                + $"{string.Join(", ", TaskVectors.MajoritySignMethods)}.");
        return type;
    }

    private static double[] Linear(TaskTensors t) => TaskVectors.Sum(t.Vectors, t.Weights);

    private static double[] MagnitudePrune(TaskTensors t) => TaskVectors.Sum(Trimmed(t), t.Weights);

    private static double[] Ties(TaskTensors t) =>
        TaskVectors.DisjointMean(Trimmed(t), t.Weights, t.How.MajoritySignMethod);

    private static double[] DareLinear(TaskTensors t) => TaskVectors.Sum(Dropped(t), t.Weights);

    private static double[] DareTies(TaskTensors t) =>
        TaskVectors.DisjointMean(Dropped(t), t.Weights, t.How.MajoritySignMethod);

    private static IReadOnlyList<double[]> Trimmed(TaskTensors t) =>
        [.. t.Vectors.Select(v => TaskVectors.Trimmed(v, t.How.Density!.Value))];

    private static IReadOnlyList<double[]> Dropped(TaskTensors t) => [.. t.Vectors.Select(
        (v, i) => TaskVectors.Dropped(v, t.How.Density!.Value, new SplitMix64(t.How.Seed, $"{t.Name}/{i}")))];

    private static CombinationType OfFactors(Func<TaskTensors, double[]> merge) =>
        new((layer, how) => TensorWise.Factors(layer, how, merge)) { NeedsEqualRanks = true };

    private static CombinationType OfProducts(Func<TaskTensors, double[]> merge) =>
        new((layer, how) => TensorWise.Products(layer, how, merge)) { HasSvd = true, Prunes = true };
}
