using System.Text.Json.Nodes;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Weighted;

/// <summary>
/// Averages adapters that several devices trained of one base, on their files alone. The mean of products B·A is not the
/// product of the means of B and A: <see cref="OfProducts"/> gives the first, <see cref="OfTensors"/> the second, which keeps
/// the rank and is what is usual where A is the same everywhere.
/// </summary>
/// <seealso href="https://arxiv.org/abs/1602.05629">McMahan et al., Communication-Efficient Learning of Deep Networks from
/// Decentralized Data, algorithm 1.</seealso>
public static class FederatedAverage
{
    /// <summary>The configurations' fields that may differ: they do not say what the tensors mean.</summary>
    private static readonly string[] Free = ["base_model_name_or_path", "inference_mode", "revision", "auto_mapping", "peft_version"];

    /// <summary>The LoRA adapter whose change to each layer is the mean of the adapters' changes. Other tensors, such as biases
    /// and saved modules, are means.</summary>
    /// <param name="adapters">LoRA adapters of the same modules, at least one.</param>
    /// <param name="rank">The rank, at least 1, to which the largest singular directions are kept; null (default) for the sum
    /// of all ranks, which is exact.</param>
    /// <returns>The configuration and the tensors.</returns>
    /// <exception cref="ConfigException">An adapter is no plain LoRA, or has other modules than the first; or shares are negative
    /// or all 0.</exception>
    public static (PeftConfig Config, IReadOnlyDictionary<string, Tensor> Weights) OfProducts(
        IReadOnlyList<AveragedAdapter> adapters, int? rank = null)
    {
        var shares = SharesOf(adapters);
        if (rank < 1)
            throw new ConfigException($"The rank is {rank}; it must be at least 1.");
        LoraConfig[] configs = [.. adapters.Select(PlainLoraOf)];
        MustHaveTheSame(adapters);
        var names = adapters[0].Weights.Keys.Where(HfName.IsLoraA).ToArray();
        var weights = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        var factors = names.Select(name => Factors(adapters, configs, shares, name, rank)).ToArray();
        var most = factors.Length == 0 ? 1 : factors.Max(static f => f.A.Rows);
        foreach (var (name, (a, b)) in names.Zip(factors))
        {
            weights.Add(name, WeightedAdapter.Resized(a, most, a.Columns));
            weights.Add(HfName.LoraBOf(name), WeightedAdapter.Resized(b, b.Rows, most));
        }

        foreach (var name in adapters[0].Weights.Keys.Where(n => !weights.ContainsKey(n)))
            weights.Add(name, Mean(adapters, shares, name));
        string[] modules = [.. names.Select(HfName.ModuleOfLoraA)];
        return (WeightedAdapter.Combined(configs, modules, most), weights);
    }

    /// <summary>The adapter whose tensors are the means of the adapters' tensors, whatever the method.</summary>
    /// <param name="adapters">Adapters of one configuration, at least one.</param>
    /// <returns>The first one's configuration, and the tensors.</returns>
    /// <exception cref="ConfigException">Configurations, names or shapes differ; or shares are negative or all 0.</exception>
    public static (PeftConfig Config, IReadOnlyDictionary<string, Tensor> Weights) OfTensors(
        IReadOnlyList<AveragedAdapter> adapters)
    {
        var shares = SharesOf(adapters);
        var first = Fields(adapters[0].Config);
        foreach (var other in adapters.Skip(1))
        {
            var fields = Fields(other.Config);
            var different = first.Keys.Union(fields.Keys).FirstOrDefault(
                name => first.GetValueOrDefault(name) != fields.GetValueOrDefault(name));
            if (different is not null)
            {
                throw new ConfigException(
                    $"'{other.Name}' has another {different} than '{adapters[0].Name}', so their tensors do not mean the same.");
            }
        }

        MustHaveTheSame(adapters, isSameShape: true);
        return (adapters[0].Config, adapters[0].Weights.Keys.ToDictionary(
            static name => name, name => Mean(adapters, shares, name), StringComparer.Ordinal));
    }

    private static double[] SharesOf(IReadOnlyList<AveragedAdapter> adapters)
    {
        ArgumentNullException.ThrowIfNull(adapters);
        if (adapters.Count == 0)
            throw new ConfigException("There is no adapter to average; name at least one.");
        if (adapters.FirstOrDefault(static a => !(a.Weight >= 0) || !double.IsFinite(a.Weight)) is { } wrong)
            throw new ConfigException($"The weight of '{wrong.Name}' is {wrong.Weight}; it must be 0 or more.");
        var sum = adapters.Sum(static a => a.Weight);
        return sum > 0 && double.IsFinite(sum)
            ? [.. adapters.Select(a => a.Weight / sum)]
            : throw new ConfigException("All weights are 0, so there is no mean; give one above 0.");
    }

    private static LoraConfig PlainLoraOf(AveragedAdapter adapter)
    {
        var config = adapter.Config as LoraConfig ?? throw new ConfigException(
            $"'{adapter.Name}' is {adapter.Config.PeftType}, which has no products B·A; take the mean of tensors.");
        var reason = config.UseDora ? "DoRA's magnitudes scale the whole layer, so that the mean is no LoRA"
            : config.EnableLora is not null ? "it adapts parts of layers"
            : config.LoraBias ? "lora_bias has no place in the result"
            : (config with { Bias = "none" }).WhyNotBesideOthers; // biases have a mean of their own
        if (reason is not null)
            throw new ConfigException($"'{adapter.Name}' has no mean of products: {reason}; take the mean of tensors.");
        var factors = adapter.Weights.Keys.Where(HfName.IsLoraA).SelectMany(static a => (string[])[a, HfName.LoraBOf(a)]);
        foreach (var name in factors)
        {
            if (!adapter.Weights.TryGetValue(name, out var factor))
                throw new ConfigException($"'{adapter.Name}' has no {name}; take an adapter with both factors of each module.");
            if (factor.Dims.Length != 2 || !name.StartsWith(HfName.Root, StringComparison.Ordinal))
            {
                throw new ConfigException(
                    $"'{adapter.Name}': {name} is no factor of a layer's matrix under HF PEFT's names; take the mean of tensors.");
            }
        }

        return config;
    }

    private static void MustHaveTheSame(IReadOnlyList<AveragedAdapter> adapters, bool isSameShape = false)
    {
        var first = adapters[0];
        foreach (var other in adapters.Skip(1))
        {
            var missing = first.Weights.Keys.Except(other.Weights.Keys).FirstOrDefault();
            var added = other.Weights.Keys.Except(first.Weights.Keys).FirstOrDefault();
            if (missing is not null || added is not null)
            {
                var (has, lacks) = missing is not null ? (first, other) : (other, first);
                throw new ConfigException(
                    $"'{has.Name}' has {missing ?? added} and '{lacks.Name}' has not; average adapters of the same modules.");
            }

            foreach (var (name, tensor) in first.Weights)
            {
                var (a, b) = (tensor.Dims, other.Weights[name].Dims);
                var isSame = !isSameShape && OuterAxisOf(name) is { } axis ? a[axis] == b[axis] : a.SequenceEqual(b);
                if (!isSame)
                {
                    throw new ConfigException(
                        $"{name} is [{string.Join(", ", a)}] in '{first.Name}' and [{string.Join(", ", b)}] in '{other.Name}'.");
                }
            }
        }
    }

    /// <summary>The axis of a factor that is not the rank; null for another tensor.</summary>
    private static int? OuterAxisOf(string name) =>
        HfName.IsLoraA(name) ? 1 : HfName.LoraPairs.Any(p => HfName.IsPart(name, p.B)) ? 0 : null;

    private static (LinearAlgebra.Matrix A, LinearAlgebra.Matrix B) Factors(
        IReadOnlyList<AveragedAdapter> adapters, LoraConfig[] configs, double[] shares, string name, int? rank)
    {
        var module = HfName.ModuleOfLoraA(name);
        var parts = adapters.Select((adapter, i) => new LayerPart(
            adapter.Name,
            WeightedAdapter.Of(adapter.Weights[name]),
            WeightedAdapter.Of(adapter.Weights[HfName.LoraBOf(name)]),
            configs[i].ScaleOf(module),
            shares[i]));
        var layer = new LayerParts(module, [.. parts]);
        return rank is { } k && k < layer.SumOfRanks
            ? FactoredSum.Truncated(layer, new WeightedCombination { SvdRank = k })
            : FactoredSum.Concatenated(layer);
    }

    private static Tensor Mean(IReadOnlyList<AveragedAdapter> adapters, double[] shares, string name)
    {
        var sum = new double[adapters[0].Weights[name].Count];
        foreach (var (adapter, share) in adapters.Zip(shares))
        {
            foreach (var (i, value) in adapter.Weights[name].ToFloat32().Index())
                sum[i] += share * value;
        }

        return Tensor.Of<float>([.. sum.Select(static v => (float)v)], adapters[0].Weights[name].Dims.AsSpan());
    }

    private static Dictionary<string, string> Fields(PeftConfig config)
    {
        var json = config.ToJson();
        return json.Where(static f => !Free.Contains(f.Key))
            .ToDictionary(static f => f.Key, static f => f.Value is JsonNode value ? value.ToJsonString() : "null", StringComparer.Ordinal);
    }
}
