using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Eva;

/// <summary>
/// Starts LoRA from data: A holds the principal axes of what each layer reads, and layers whose axes explain more get
/// more of the rank. The data is gone through until the axes stand still, at most ten times.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2410.07170">Paischer et al., EVA, section 3.</seealso>
internal static class EvaInitialisation
{
    private const int MostPasses = 10;

    /// <summary>Puts an adapter on a base whose A and ranks come from data.</summary>
    /// <param name="baseModel">The base; not changed.</param>
    /// <param name="config">LoRA with <see cref="LoraInit.Eva"/>.</param>
    /// <param name="data">Rows as they are trained on.</param>
    /// <param name="batchSize">Rows that go through the model at once, at least 1; batches with fewer counted positions
    /// than a layer's largest rank are passed over.</param>
    /// <param name="seed">Fixes what is random: nothing but embeddings' factors.</param>
    /// <param name="options">How ONNX Runtime runs the base; the CPU with all cores when left out.</param>
    /// <param name="cancellation">Stops between two batches with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>The adapted model; its configuration lists the ranks.</returns>
    /// <exception cref="ConfigException">The configuration does not fit, or the data has too few positions.</exception>
    public static PeftModel Create(
        Model baseModel,
        LoraConfig config,
        IDataset data,
        int batchSize = 8,
        long seed = 0,
        RuntimeOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(data);
        var plain = PeftModel.Create(baseModel, config, seed);
        string[] layers = [.. plain.Parameters.Select(static p => p.Name)
            .Where(static n => HfName.IsPart(n, HfName.LoraA)).Select(LayerOf)];
        using var inputs = new LayerInputs(baseModel, layers.ToHashSet(StringComparer.Ordinal), options ?? new());
        var eva = config.EvaConfig ?? new EvaConfig();
        var axes = Fit(inputs, layers, config, eva, new Passes(data, batchSize), cancellation);
        var ratios = layers.Select(l => (l, Taken(axes[inputs.Sources[l]].VarianceRatios, MostOf(l, config, eva))));
        var ranks = RankDistribution.Of([.. ratios], layers.Sum(config.RankOf));
        var model = PeftModel.Create(baseModel, Resolved((LoraConfig)plain.Config, ranks, eva), seed);
        var weights = new Dictionary<string, Tensor>(model.GetWeights(), StringComparer.Ordinal);
        foreach (var (layer, rank) in ranks.Where(static r => r.Value > 0))
            weights[HfName.Of(layer, HfName.LoraA)] = Start(axes[inputs.Sources[layer]], rank, eva);
        model.SetWeights(weights);
        return model;
    }

    private static Dictionary<string, IncrementalPca> Fit(
        LayerInputs inputs,
        IReadOnlyList<string> layers,
        LoraConfig config,
        EvaConfig eva,
        Passes passes,
        CancellationToken cancellation)
    {
        var axes = layers.GroupBy(l => inputs.Sources[l], StringComparer.Ordinal).ToDictionary(
            static g => g.Key,
            g => new IncrementalPca(inputs.Features[g.Key], g.Max(l => MostOf(l, config, eva))),
            StringComparer.Ordinal);
        var open = axes.Keys.ToHashSet(StringComparer.Ordinal);
        var least = layers.Max(l => MostOf(l, config, eva));
        foreach (var batch in passes.Batches(MostPasses).SelectMany(b => inputs.Axes.Split(b))
            .TakeWhile(_ => open.Count > 0))
        {
            cancellation.ThrowIfCancellationRequested();
            inputs.Run(batch, Counted(batch, eva), open.Contains, (source, rows) =>
            {
                if (rows.Rows > least && axes[source].Add(rows) >= eva.Tau)
                    open.Remove(source);
            });
        }

        return axes.Values.All(static a => a.Axes is not null)
            ? axes
            : throw new ConfigException(
                $"init_lora_weights 'eva': no batch has more than {least} counted positions, as many as a layer may "
                + "take axes (rho · r); give larger batches or longer rows, or lower r or rho.");
    }

    /// <summary>Positions that are attended to and, where wanted, have a label.</summary>
    private static bool[]? Counted(Batch batch, EvaConfig eva)
    {
        var mask = batch.Feeds.GetValueOrDefault(DecoderNames.Mask)?.ToInt64();
        var labels = eva.UseLabelMask ? batch.Feeds.GetValueOrDefault(DecoderNames.Labels)?.ToInt64() : null;
        return (mask ?? labels)?.Select((_, i) =>
            (mask is null || mask[i] != 0) && (labels is null || labels[i] != eva.LabelMaskValue)).ToArray();
    }

    private static int MostOf(string layer, LoraConfig config, EvaConfig eva) =>
        (int)Math.Round(config.RankOf(layer) * eva.Rho);

    private static IReadOnlyList<double> Taken(IReadOnlyList<double> ratios, int count) => [.. ratios.Take(count)];

    private static Tensor Start(IncrementalPca axes, int rank, EvaConfig eva)
    {
        var first = axes.Axes!.FirstRows(rank);
        return eva.Whiten
            ? first.ScaledRows([.. axes.Values.Take(rank).Select(static v => v > 0 ? 1 / Math.Sqrt(v) : 0)]).ToTensor()
            : first.ToTensor();
    }

    private static LoraConfig Resolved(LoraConfig config, Dictionary<string, int> ranks, EvaConfig eva)
    {
        var alphas = ranks.ToDictionary(
            static r => r.Key,
            r => AlphaOf(r.Key, config) * (eva.AdjustScalingFactors ? (double)r.Value / config.RankOf(r.Key) : 1));
        var others = config.TargetModules?.Names.Where(n => !ranks.Keys.Any(l => l == n || l.EndsWith("." + n,
            StringComparison.Ordinal))) ?? [];
        var kept = ranks.Where(static r => r.Value > 0).Select(static r => r.Key).ToList();
        return config with
        {
            TargetModules = ModuleTargets.Listed(others.Concat(kept)),
            RankPattern = [.. kept.Where(l => ranks[l] != config.R).Select(l => KeyValuePair.Create(l, ranks[l]))],
            AlphaPattern = [.. kept.Where(l => alphas[l] != config.LoraAlpha)
                .Select(l => KeyValuePair.Create(l, alphas[l]))],
        };
    }

    private static double AlphaOf(string layer, LoraConfig config) =>
        TargetSelector.ByPattern(config.AlphaPattern, layer, config.LoraAlpha);

    private static string LayerOf(string parameter) => HfName.ModuleOf(parameter, HfName.LoraA);

    /// <summary>The rows in order, in batches, over and over.</summary>
    private sealed class Passes(IDataset data, int batchSize)
    {
        public IEnumerable<Batch> Batches(int most)
        {
            var order = new BatchOrder(data.RowCount, batchSize, null);
            for (var i = 0; i < most * order.BatchesPerEpoch; i++)
                yield return data.Collate(order.Rows(0, i % order.BatchesPerEpoch));
        }
    }
}
