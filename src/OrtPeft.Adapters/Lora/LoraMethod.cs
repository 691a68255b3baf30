using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Lora;

/// <summary>Low-rank adaptation of linear layers and embeddings, with its variants.</summary>
/// <seealso href="https://arxiv.org/abs/2106.09685">Hu et al., LoRA.</seealso>
internal sealed class LoraMethod : IPeftMethod
{
    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "lora",
        PeftType = "LORA",
        Title = "LoRA",
        Paper = new("https://arxiv.org/abs/2106.09685"),
        Trains = "A and B beside the chosen linear layers or embeddings, biases on request",
        Options =
        [
            SharedOptions.Rank("lora_alpha"),
            SharedOptions.Alpha("lora_alpha"),
            SharedOptions.Dropout("lora_dropout"),
            SharedOptions.Targets,
            SharedOptions.Bias,
            new("--rslora", "use_rslora", OptionForm.Flag, "Scale by alpha / √rank instead of alpha / rank (rsLoRA)."),
            new("--dora", "use_dora", OptionForm.Flag, "Also train a magnitude per output feature (DoRA)."),
            new(
                "--init",
                "init_lora_weights",
                OptionForm.Literal,
                $"Initialization of LoRA's A and B: {string.Join(", ", LoraInit.Names)}. [default: true]",
                "NAME"),
            SharedOptions.RankPattern,
            SharedOptions.AlphaPattern,
            SharedOptions.Layers,
        ],
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => LoraConfig.FromFields(fields);

    /// <inheritdoc/>
    public StartNeeds NeedsOf(PeftConfig config) => config is LoraConfig lora && lora.InitLoraWeights == LoraInit.Eva
        ? new StartNeeds { RowStart = LoraInit.Eva.Name }
        : StartNeeds.None;

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var lora = TargetParameters.Completed(model, (LoraConfig)config);
        lora.Validate();
        var builder = GraphBuilder.Over(model);
        var (resolved, targets) = LoraTargets.Resolve(model.Graph, lora, DefaultTargets.OfLora);
        var tied = TiedFactors.Of(model, lora, targets);
        if (tied is not null)
            (resolved, targets) = (tied.Written(resolved), tied.Among(targets));
        var tokens = LoraTokens.Resolve(model, lora, targets);
        var parts = targets.Select(target => LoraGraph.Inject(target, lora, builder, seed)).ToList();
        var biases = LoraBiases.Select(model.Graph, lora, Linear(targets));
        var foldBiases = Counterparts.FoldingOf(biases);
        var isPlain = LoraStart.MustBeSaved(resolved, Linear(targets));
        return new Injection(
            resolved,
            [
                .. parts.SelectMany(static p => p.Parameters).Select(p => tied?.WithHeadName(p) ?? p),
                .. biases,
                .. tokens.Select(t => LoraTokens.Inject(t, builder)),
            ])
        {
            Buffers = [.. parts.SelectMany(static p => p.Start)],
            Detached = [.. parts.SelectMany(static p => p.Detached)],
            SavedConfig = isPlain ? PlainLora.WithStart(resolved) : null,
            ForSaving = tied is not null ? tied.WithHead : isPlain ? PlainLora.WithStart : LoraStart.Without,
            Merge = (copy, weights) =>
            {
                var own = targets.Where(t => t != tied?.Embedding && t != tied?.Head).ToList();
                var (rows, layers) = (tokens.Select(t => t.In(copy)).ToList(), LoraTargets.In(copy, own));
                foreach (var token in rows)
                    token.Merge(copy, weights[LoraTokens.NameOf(token)]);
                foldBiases(copy, weights);
                foreach (var layer in layers)
                    LoraMerge.Fold(copy, layer, lora, weights);
                tied?.Fold(copy, lora, tied.WithHead(weights));
            },
        };
    }

    private static IReadOnlyList<LinearModule> Linear(IEnumerable<LoraTarget> targets) =>
        [.. targets.OfType<LinearTarget>().Select(static t => t.Module)];
}
