using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.TrainableTokens;

/// <summary>Trains the embeddings of chosen tokens.</summary>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/trainable_tokens">HF PEFT's
/// TrainableTokens.</seealso>
internal sealed class TrainableTokensMethod : IPeftMethod
{
    private const string Field = "token_indices";

    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "trainable-tokens",
        PeftType = "TRAINABLE_TOKENS",
        Title = "trainable tokens",
        Trains = "the embeddings of chosen tokens, and with them the rows of a tied head",
        Options = [SharedOptions.Targets],
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => TrainableTokensConfig.FromFields(fields);

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var tokens = (TrainableTokensConfig)config;
        var targets = Targets(model, tokens);
        var builder = GraphBuilder.Over(model);
        var resolved = tokens with { TargetModules = ModuleTargets.Listed(targets.Select(static t => t.Name)) };
        return new Injection(resolved, [.. targets.Select(t => Inject(t, tokens, builder, seed))])
        {
            ForSaving = weights => WithHeads(targets, weights),
            Merge = (copy, weights) =>
            {
                foreach (var target in targets.Select(t => t.In(copy)).ToList())
                    target.Merge(copy, weights[NameOf(target.Name)]);
            },
        };
    }

    private static AdapterParameter Inject(TokenTarget target, TrainableTokensConfig config, GraphBuilder g, long seed)
    {
        var name = NameOf(target.Name);
        var start = config.InitWeights
            ? target.FirstRows()
            : InitialWeights.Normal(seed, name, 1, target.Tokens.Count, target.Features);
        var rows = g.Graph.AddInitializer(g.Graph.FreshName(name), start);
        target.Inject(g, rows);
        return new AdapterParameter(name, rows) { Aliases = target.TiedName is { } head ? [NameOf(head)] : [] };
    }

    /// <summary>HF PEFT saves the rows of a tied head too, as a copy.</summary>
    private static Dictionary<string, Tensor> WithHeads(
        IReadOnlyList<TokenTarget> targets, IReadOnlyDictionary<string, Tensor> weights)
    {
        var saved = weights.ToDictionary(StringComparer.Ordinal);
        foreach (var target in targets.Where(static t => t.TiedName is not null))
            saved[NameOf(target.TiedName!)] = weights[NameOf(target.Name)];
        return saved;
    }

    private static IReadOnlyList<TokenTarget> Targets(Model model, TrainableTokensConfig config)
    {
        if (config.TargetModules is { Pattern: { } pattern })
            throw new ConfigException($"target_modules is '{pattern}'; list the embeddings' names.");
        var names = config.TargetModules?.Names ?? [];
        var indices = names.Count == 0
            ? TokenIndices.Of(config.TokenIndices)
            : TokenIndices.OfModules(names.Select(n => KeyValuePair.Create(n, config.TokenIndices)));
        return TokenTargets.Resolve(model, indices, Field);
    }

    private static string NameOf(string module) => HfName.Of(module, "trainable_tokens_delta");
}
