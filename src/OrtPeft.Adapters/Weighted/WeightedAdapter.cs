using OrtPeft.Adapters.LinearAlgebra;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Weighted;

/// <summary>Makes one LoRA adapter of several on the same model.</summary>
public static class WeightedAdapter
{
    /// <summary>Adds the weighted combination of adapters beside them; it is not active yet.</summary>
    /// <param name="model">The model with the adapters.</param>
    /// <param name="name">The new adapter's name.</param>
    /// <param name="parts">The adapters and their weights, of any sign.</param>
    /// <param name="how">The way; <c>svd</c> when left out.</param>
    /// <exception cref="ConfigException">An adapter is missing or no plain LoRA, ranks differ where the way needs equal
    /// ones, or a field is wrong.</exception>
    public static void AddWeightedAdapter(
        this PeftModel model,
        string name,
        IReadOnlyList<(string Adapter, double Weight)> parts,
        WeightedCombination? how = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(parts);
        if (parts.Count == 0)
            throw new ConfigException($"'{name}' has no adapters to combine; name at least one.");
        how = parts.Count == 1 ? new WeightedCombination { CombinationType = "linear" } : how ?? new();
        var type = CombinationTypes.Of(how);
        var layers = parts.SelectMany(part => PartsOf(model, part.Adapter, part.Weight))
            .GroupBy(static e => e.NameOfA, static e => e.Part, StringComparer.Ordinal)
            .Select(static g => (NameOfA: g.Key, Layer: new LayerParts(HfName.ModuleOfLoraA(g.Key), [.. g])))
            .ToList();
        if (type.NeedsEqualRanks)
            layers.ForEach(l => CheckRanks(l.Layer, how));
        var combined = layers.Select(l => (l.NameOfA, l.Layer, Factors: type.Combine(l.Layer, how))).ToList();
        var rank = Math.Max(how.SvdRank ?? 1, combined.Max(static c => c.Factors.A.Rows));
        var weights = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (nameOfA, _, (a, b)) in combined)
        {
            weights.Add(nameOfA, Resized(a, rank, a.Columns));
            weights.Add(HfName.LoraBOf(nameOfA), Resized(b, b.Rows, rank));
        }

        IReadOnlyList<string> modules = [.. layers.Select(static l => l.Layer.Module)];
        IReadOnlyList<LoraConfig> configs = [.. parts.Select(p => (LoraConfig)model.Adapters.ConfigOf(p.Adapter))];
        model.Adapters.Add(name, Combined(configs, modules, rank), weights, name);
    }

    private static IEnumerable<(string NameOfA, LayerPart Part)> PartsOf(PeftModel model, string adapter, double weight)
    {
        if (!double.IsFinite(weight))
            throw new ConfigException($"The weight of '{adapter}' is infinite or not a number; it must be finite.");
        var config = model.Adapters.ConfigOf(adapter) as LoraConfig ?? throw new ConfigException(
            $"'{adapter}' is {model.Adapters.ConfigOf(adapter).PeftType}; only LoRA adapters can be combined.");
        if ((config.LoraBias ? "lora_bias has no place in the result" : config.WhyNotBesideOthers) is { } reason)
            throw new ConfigException($"'{adapter}' cannot be combined with others: {reason}.");
        if (model.Adapters.BaseWeightsOf(adapter).Keys.FirstOrDefault() is { } ofBase)
            throw new ConfigException(
                $"'{adapter}' cannot be combined with others: its '{ofBase}' takes the place of the base's.");
        (config, var weights) = PlainLora.WithoutParts(config, model.Adapters.WeightsOf(adapter));
        foreach (var (name, a) in weights.Where(static w => HfName.IsLoraA(w.Key)))
        {
            var scale = config.ScaleOf(HfName.ModuleOfLoraA(name));
            yield return (name, new LayerPart(adapter, Of(a), Of(weights[HfName.LoraBOf(name)]), scale, weight));
        }
    }

    private static void CheckRanks(LayerParts layer, WeightedCombination how)
    {
        var first = layer.Parts[0];
        if (layer.Parts.FirstOrDefault(p => p.A.Rows != first.A.Rows) is { } other)
            throw new ConfigException(
                $"{layer.Module} has rank {first.A.Rows} in '{first.Adapter}' and {other.A.Rows} in '{other.Adapter}'; "
                + $"{how.CombinationType} needs equal ranks: take cat or svd.");
    }

    /// <summary>The first adapter's configuration with a scale of 1 everywhere, for the layers of all.</summary>
    /// <summary>The configuration of a combination: scale 1 in each module.</summary>
    internal static LoraConfig Combined(IReadOnlyList<LoraConfig> configs, IReadOnlyList<string> modules, int rank)
    {
        var first = configs[0] with
        {
            R = rank,
            LoraAlpha = rank,
            RankPattern = [],
            AlphaPattern = [],
            UseRslora = false,
            InitLoraWeights = LoraInit.Kaiming,
            EvaConfig = null,
            EnableLora = null,
        };
        var areSame = configs.All(c => Targets(c).Equals(Targets(first)));
        return areSame ? first : first with
        {
            TargetModules = ModuleTargets.Listed(modules),
            ExcludeModules = null,
            LayersToTransform = null,
            LayersPattern = null,
        };
    }

    private static (ModuleTargets?, ModuleTargets?, string, string) Targets(LoraConfig config) => (
        config.TargetModules,
        config.ExcludeModules,
        string.Join(',', config.LayersToTransform ?? []),
        string.Join(',', config.LayersPattern ?? []));

    /// <summary>A tensor of two axes.</summary>
    internal static Matrix Of(Tensor matrix) =>
        Matrix.Of((int)matrix.Dims[0], (int)matrix.Dims[1], matrix.ToFloat32());

    /// <summary>A layer may have less rank than the adapter; zeros make up for it.</summary>
    internal static Tensor Resized(Matrix matrix, int rows, int columns)
    {
        var resized = new Matrix(rows, columns);
        for (var i = 0; i < Math.Min(rows, matrix.Rows); i++)
            matrix.Row(i).CopyTo(resized.Row(i));
        return resized.ToTensor();
    }
}
