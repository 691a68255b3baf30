using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Lora;

/// <summary>HF PEFT's <c>target_parameters</c>: parameters that LoRA adapts by their own names.</summary>
internal static class TargetParameters
{
    public const string Field = "target_parameters";

    /// <summary>
    /// The families whose experts and routers HF PEFT takes for linear layers, as they were before transformers 5.
    /// </summary>
    private static readonly string[] OnceLinear = ["mixtral", "qwen3_moe"];

    /// <summary>The parameter that holds two layers of each expert, for which HF PEFT doubles rank and alpha.</summary>
    public const string Fused = "gate_up_proj";

    /// <summary>The configuration that <c>all-linear</c> stands for in such a family, with the ranks that HF PEFT
    /// gives; any other configuration as it is.</summary>
    public static LoraConfig Completed(Model model, LoraConfig config)
    {
        var family = model.Metadata.GetValueOrDefault(MetadataKeys.ModelType);
        if (config.TargetModules?.Pattern != ModuleTargets.AllLinear || !OnceLinear.Contains(family))
            return config;
        var experts = ExpertCatalogue.Weights(model.Graph).Select(static w => w.Parameter).Distinct();
        var routers = ModuleCatalogue.LinearModules(model.Graph).Where(static m => m.IsRouter)
            .Select(static m => $"{m.Name.Split('.')[^1]}.weight").Distinct();
        string[] names = [.. (config.TargetParameters ?? []).Union(experts).Union(routers)];
        const string Pattern = $@".*\.{Fused}";
        return names.Length == 0 ? config : config with
        {
            TargetParameters = names,
            RankPattern = With(config.RankPattern, Pattern, 2 * config.R),
            AlphaPattern = With(config.AlphaPattern, Pattern, 2 * config.LoraAlpha),
        };
    }

    /// <summary>All that a configuration names, by the names that its patterns are matched with.</summary>
    public static IReadOnlyList<string> NamesOf(Graph graph, LoraConfig config) =>
        [.. Experts(graph, config).Select(static e => e.PatternName), .. Routers(graph, config).Select(PathOf)];

    /// <summary>The experts that a configuration names, in execution order.</summary>
    /// <exception cref="ConfigException">It asks for what they cannot have.</exception>
    public static IReadOnlyList<ExpertTarget> Experts(Graph graph, LoraConfig config)
    {
        if (config.TargetParameters is not { Count: > 0 } names)
            return [];
        var chosen = ExpertCatalogue.Weights(graph).Where(w => Names(names, w.Path)).ToList();
        Check(config, names, [.. chosen.Select(static w => w.Path), .. Routers(graph, config).Select(PathOf)]);
        return
        [
            .. chosen.Select(w =>
            {
                var later = chosen.Count(other => other.Module == w.Module) - 1
                    - chosen.Where(other => other.Module == w.Module).TakeWhile(other => other != w).Count();
                return new ExpertTarget(w, w.Module + string.Concat(Enumerable.Repeat(".base_layer", later)));
            }),
        ];
    }

    /// <summary>The linear layers whose weights a configuration names.</summary>
    public static IReadOnlyList<LinearModule> Routers(Graph graph, LoraConfig config) =>
        config.TargetParameters is { Count: > 0 } names
            ? [.. ModuleCatalogue.LinearModules(graph).Where(m => Names(names, PathOf(m)))]
            : [];

    /// <summary>The same experts in a copy of the graph.</summary>
    /// <exception cref="ConfigException">The copy lacks one.</exception>
    public static IEnumerable<ExpertTarget> In(Graph copy, IEnumerable<ExpertTarget> targets)
    {
        var all = ExpertCatalogue.Weights(copy).ToDictionary(static w => w.Path, StringComparer.Ordinal);
        return targets.Select(t => all.TryGetValue(t.Parameter.Path, out var weight)
            ? new ExpertTarget(weight, t.Name)
            : throw new ConfigException(
                $"The base has no '{t.Parameter.Path}', which the adapter was put on; merge it into the base that it was "
                + "made for."));
    }

    private static string PathOf(LinearModule module) => $"{module.Name}.weight";

    private static bool Names(IReadOnlyList<string> names, string path) =>
        names.Any(name => TargetSelector.EndsWith(path, name));

    private static void Check(LoraConfig config, IReadOnlyList<string> names, IReadOnlyList<string> paths)
    {
        if (names.FirstOrDefault(name => !paths.Any(path => TargetSelector.EndsWith(path, name))) is { } unknown)
            throw new ConfigException(
                $"{Field} has '{unknown}', which no parameter of experts and no linear layer's weight is called; leave it "
                + "out, or take the model that it is of.");
        var excluded = config switch
        {
            { LoraDropout: > 0 } => "lora_dropout is over 0",
            { UseDora: true } => "use_dora is true",
            { LoraBias: true } => "lora_bias is true",
            { EnableLora: not null } => "enable_lora is given",
            { InitLoraWeights.Name: not ("true" or "false" or "gaussian") } =>
                $"init_lora_weights is '{config.InitLoraWeights}'",
            _ => null,
        };
        if (excluded is not null)
            throw new ConfigException($"{excluded}, which {Field} cannot have; leave one of them out.");
    }

    private static IReadOnlyList<KeyValuePair<string, T>> With<T>(
        IReadOnlyList<KeyValuePair<string, T>> patterns, string pattern, T value) =>
        patterns.Any(p => p.Key == pattern) ? patterns : [.. patterns, new(pattern, value)];
}
