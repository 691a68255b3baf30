using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Lora;

/// <summary>The layers that a configuration adapts: linear ones, and embeddings that it names.</summary>
internal static class LoraTargets
{
    /// <summary>Picks the layers, embeddings first, and writes the choice as HF PEFT can read it back.</summary>
    public static (LoraConfig Config, IReadOnlyList<LoraTarget> Targets) Resolve(
        Graph graph, LoraConfig config, IReadOnlyList<string[]> defaults)
    {
        var embeddings = EmbeddingCatalogue.Embeddings(graph)
            .Where(e => TargetResolution.Names(config, e.Name)).ToList();
        if (config.LoraBias && embeddings.Count > 0)
            throw new ConfigException(
                $"lora_bias is true and {embeddings[0].Name} is an embedding, which has no bias in B; leave one out.");
        var (experts, routers) = (TargetParameters.Experts(graph, config), TargetParameters.Routers(graph, config));
        var (resolved, linear) = TargetResolution.Resolve(
            graph, config, [.. embeddings.Select(static e => e.Name)], defaults, experts.Count + routers.Count > 0);
        IReadOnlyList<LoraTarget> targets = [
            .. embeddings.Select(static e => new EmbeddingTarget(e)),
            .. linear.Select(static m => new LinearTarget(m)),
            .. routers.Where(r => linear.All(m => m.Name != r.Name)).Select(static m => new LinearTarget(m, "weight")),
            .. experts,
        ];
        if (EnabledParts.Of(config) is { } parts)
        {
            foreach (var target in targets)
                parts.Check(target);
        }

        return (resolved, targets);
    }

    /// <summary>The same layers in a copy of the graph without the adapter.</summary>
    /// <exception cref="ConfigException">The copy lacks one.</exception>
    public static IReadOnlyList<LoraTarget> In(Graph copy, IReadOnlyList<LoraTarget> targets) =>
    [
        .. TargetParameters.In(copy, targets.OfType<ExpertTarget>()),
        .. targets.OfType<EmbeddingTarget>().Select(t => new EmbeddingTarget(Counterparts.Of(t.Module, copy))),
        .. Counterparts.Of([.. Linear(targets).Select(static t => t.Module)], copy)
            .Zip(Linear(targets), static (module, target) => new LinearTarget(module, target.Parameter)),
    ];

    private static IEnumerable<LinearTarget> Linear(IReadOnlyList<LoraTarget> targets) => targets.OfType<LinearTarget>();
}
