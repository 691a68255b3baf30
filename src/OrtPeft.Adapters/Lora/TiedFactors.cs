using System.Text.RegularExpressions;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// HF PEFT's <c>ensure_weight_tying</c> of an adapted embedding or head: both are adapted, and the head's A is the
/// embedding's B, its B the embedding's A, each transposed. One pair trains, and files hold it under both names.
/// </summary>
/// <param name="Pair">The embedding and its head.</param>
/// <param name="Embedding">The embedding, whose A and B train.</param>
/// <param name="Head">The head, which reads them.</param>
internal sealed record TiedFactors(TiedModules Pair, EmbeddingTarget Embedding, LinearTarget Head)
{
    private static readonly string[] Starts = ["true", "false", "gaussian"];

    /// <summary>Finds the pair that a configuration ties.</summary>
    /// <param name="model">The model without the adapter.</param>
    /// <param name="config">The configuration as it was given.</param>
    /// <param name="targets">The layers that it picks without tying.</param>
    /// <returns>Null where it ties nothing.</returns>
    /// <exception cref="ConfigException">What it asks for cannot be tied.</exception>
    public static TiedFactors? Of(Model model, LoraConfig config, IReadOnlyList<LoraTarget> targets)
    {
        if (!config.EnsureWeightTying || TiedModules.IsMeant(config.ModulesToSave ?? []) || !IsMeant(config.TargetModules))
            return null;
        if (EmbeddingCatalogue.QuantizedName(model.Graph) is { } quantized)
            throw new ConfigException(
                $"ensure_weight_tying is true and target_modules has head or embedding, but {quantized} is stored in few "
                + "bits, where no adapter can stand; take the base in float, or leave the field out.");
        if (TiedModules.Of(model) is not { } pair)
            return null;
        var embedding = pair.Embedding.Module;
        if (config.ExcludeModules is { } exclude && TargetSelector.IsExcluded(embedding, exclude))
            throw new ConfigException(
                $"ensure_weight_tying is true and exclude_modules has {embedding}, which head and embedding would share A "
                + "and B with; leave one of the two fields out.");
        if (!Starts.Contains(config.InitLoraWeights.Name))
            throw new ConfigException(
                $"ensure_weight_tying is true and init_lora_weights is '{config.InitLoraWeights}'; A and B that head and "
                + $"embedding share start with one of {string.Join(", ", Starts)}.");
        if (config.EnableLora is not null || config.LoraBias)
            throw new ConfigException(
                $"ensure_weight_tying is true and {(config.LoraBias ? "lora_bias" : "enable_lora")} is given, which "
                + "embeddings do not have; leave one of the two out.");
        var source = targets.OfType<EmbeddingTarget>().FirstOrDefault(t => t.Name == embedding)?.Module
            ?? EmbeddingCatalogue.Embeddings(model.Graph).First(e => e.Name == embedding);
        var shared = new EmbeddingTarget(source, pair.Head);
        return new TiedFactors(pair, shared, new LinearTarget(pair.Head, source: shared));
    }

    /// <summary>The targets with the tied ones in the place of the same without tying.</summary>
    public IReadOnlyList<LoraTarget> Among(IReadOnlyList<LoraTarget> targets) =>
    [
        Embedding,
        .. targets.Where(t => t.Name != Embedding.Name && t.Name != Head.Name),
        Head,
    ];

    /// <summary>The choice with both in it, so that HF PEFT and a later reading here tie the same.</summary>
    public LoraConfig Written(LoraConfig config)
    {
        IEnumerable<string> both = [Embedding.Name, Head.Name];
        var targets = config.TargetModules!;
        return config with
        {
            TargetModules = targets.Pattern is { } pattern
                ? ModuleTargets.Matching($"(?:{pattern})|{string.Join('|', both.Select(Regex.Escape))}")
                : ModuleTargets.Listed([.. targets.Names, .. both.Where(n => !targets.Names.Any(t => TargetSelector.EndsWith(n, t)))]),
        };
    }

    /// <summary>A pair's parameters, which files have transposed as the head's too.</summary>
    public AdapterParameter WithHeadName(AdapterParameter parameter) =>
        parameter.Name == Embedding.NameOfA ? parameter with { TransposedAliases = [Head.NameOfB] }
        : parameter.Name == Embedding.NameOfB ? parameter with { TransposedAliases = [Head.NameOfA] }
        : parameter;

    /// <summary>The weights with the head's A and B.</summary>
    public IReadOnlyDictionary<string, Tensor> WithHead(IReadOnlyDictionary<string, Tensor> weights) =>
        new Dictionary<string, Tensor>(weights, StringComparer.Ordinal)
        {
            [Head.NameOfA] = Transposing.Of(weights[Embedding.NameOfB]),
            [Head.NameOfB] = Transposing.Of(weights[Embedding.NameOfA]),
        };

    /// <summary>Folds both into a copy of the base; where both change alike they stay one matrix.</summary>
    public void Fold(Graph copy, LoraConfig config, IReadOnlyDictionary<string, Tensor> weights)
    {
        var embedding = new EmbeddingTarget(Counterparts.Of(Embedding.Module, copy));
        var head = new LinearTarget(Counterparts.Of(Head.Module, copy));
        var isAlike = !config.UseDora && config.ScaleOf(Embedding.PatternName) == config.ScaleOf(Head.PatternName);
        if (!isAlike)
        {
            LoraMerge.Fold(copy, embedding, config, weights);
            LoraMerge.Fold(copy, head, config, weights);
            return;
        }

        var sum = Tensor.Of<float>(
            LoraMerge.Sum(embedding, (weights[Embedding.NameOfA], weights[Embedding.NameOfB], config.ScaleOf(Embedding.PatternName))),
            embedding.Dims.AsSpan());
        Pair.In(copy).Fold(copy, embedding.IsOutByIn ? Transposing.Of(sum) : sum);
    }

    /// <summary>HF PEFT asks whether the targets mean a bare <c>embed_tokens</c> or <c>lm_head</c>.</summary>
    private static bool IsMeant(ModuleTargets? targets) => targets switch
    {
        null or { Pattern: ModuleTargets.AllLinear } => false,
        { Pattern: null } => TiedModules.IsMeant(targets.Names),
        _ => HfName.EmbeddingLayers.Any(name => TargetSelector.Matches(name, targets)),
    };
}
