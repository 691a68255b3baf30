using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>From what a configuration says of modules to the modules of a graph, and back to what HF PEFT
/// reads.</summary>
internal static class TargetResolution
{
    /// <summary>
    /// The targets by naming family of methods that adapt what makes queries and values, by HF PEFT's tables.
    /// </summary>
    public static IReadOnlyList<string[]> QueriesAndValues { get; } =
        [["c_attn"], ["q_proj", "v_proj"], ["query_key_value"]];

    /// <summary>Picks the modules that a configuration means.</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    /// <param name="config">The configuration.</param>
    /// <param name="defaults">
    /// The method's own targets by naming family, tried in order where the configuration has none: the first whose
    /// names all occur counts, else every linear layer.
    /// </param>
    /// <exception cref="ConfigException">It means no module.</exception>
    public static IReadOnlyList<LinearModule> Select(
        Graph graph, TargetedConfig config, params IReadOnlyList<string[]> defaults)
    {
        var modules = ModuleCatalogue.LinearModules(graph);
        return Select(modules, config, config.TargetModules ?? DefaultFor(modules, defaults));
    }

    /// <summary>
    /// Picks modules, and writes the choice as HF PEFT can read it back: a container's name becomes the names inside
    /// it, a default the names it means.
    /// </summary>
    public static (T Config, IReadOnlyList<LinearModule> Selected) Resolve<T>(
        Graph graph, T config, params IReadOnlyList<string[]> defaults)
        where T : TargetedConfig => Resolve(graph, config, [], defaults);

    /// <summary>
    /// The same for a method that adapts other modules too: where it has some, no linear layer is needed.
    /// </summary>
    /// <param name="graph">The graph, in canonical form.</param>
    /// <param name="config">The configuration.</param>
    /// <param name="others">The other modules that it means.</param>
    /// <param name="defaults">As above.</param>
    public static (T Config, IReadOnlyList<LinearModule> Selected) Resolve<T>(
        Graph graph, T config, IReadOnlyList<string> others, IReadOnlyList<string[]> defaults)
        where T : TargetedConfig
    {
        var modules = ModuleCatalogue.LinearModules(graph);
        var targets = config.TargetModules ?? DefaultFor(modules, defaults);
        var selected = others.Count > 0 ? Find(modules, config, targets) : Select(modules, config, targets);
        IReadOnlyList<string> names = [.. others, .. selected.Select(static m => m.Name)];
        var resolved = config with
        {
            TargetModules = Written(config, targets, names),
            ExcludeModules = config.ExcludeModules is { Pattern: null } excluded
                ? ModuleTargets.Listed(excluded.SelectMany(n => Excluded(n, modules)).Distinct())
                : config.ExcludeModules,
            FanInFanOut = selected.Any(static m =>
                !m.IsOutByIn && m.Weight.Name.EndsWith(".weight", StringComparison.Ordinal)),
        };
        return (resolved, selected);
    }

    /// <summary>Whether a configuration names a module that is no linear layer, itself or by a pattern.</summary>
    public static bool Names(TargetedConfig config, string module)
    {
        if (config.TargetModules is not { } targets || targets.Pattern == ModuleTargets.AllLinear)
            return false;
        var isNamed = targets.Pattern is null
            ? targets.Names.Any(name => TargetSelector.EndsWith(module, name))
            : TargetSelector.Matches(module, targets);
        var isExcluded = config.ExcludeModules is { } exclude && TargetSelector.Matches(module, exclude);
        var isInLayers = config.LayersToTransform is not { Count: > 0 } layers || targets.Names.Contains(module)
            || TargetSelector.IsInLayers(module, layers, config.LayersPattern);
        return isNamed && !isExcluded && isInLayers;
    }

    private static ModuleTargets Written(TargetedConfig config, ModuleTargets targets, IReadOnlyList<string> names)
    {
        if (config.TargetModules is null && targets.Pattern is not null)
            targets = ModuleTargets.Listed(names.Select(static n => n.Split('.')[^1]).Distinct());
        var namesLayers = config.LayersToTransform is { Count: > 0 };
        if (namesLayers && (targets.Pattern is not null || !config.HasLayerFields))
            return ModuleTargets.Listed(names); // HF PEFT takes layers with lists only
        return targets.Pattern is null
            ? ModuleTargets.Listed(targets.Names.SelectMany(name => EndingsFor(name, names)).Distinct())
            : targets;
    }

    /// <summary>HF PEFT excludes modules, not containers: a container's name becomes the names inside it.</summary>
    private static string[] Excluded(string name, IReadOnlyList<LinearModule> modules)
    {
        string[] inside = [.. EndingsFor(name, [.. modules.Select(static m => m.Name)])];
        return inside.Length == 0 ? [name] : inside;
    }

    private static IReadOnlyList<LinearModule> Find(
        IReadOnlyList<LinearModule> modules, TargetedConfig config, ModuleTargets targets) =>
        TargetSelector.Find(
            modules, targets, config.ExcludeModules, config.LayersToTransform, config.LayersPattern);

    private static IReadOnlyList<LinearModule> Select(
        IReadOnlyList<LinearModule> modules, TargetedConfig config, ModuleTargets targets) =>
        TargetSelector.Select(
            modules, targets, config.ExcludeModules, config.LayersToTransform, config.LayersPattern);

    private static ModuleTargets DefaultFor(IReadOnlyList<LinearModule> modules, IReadOnlyList<string[]> defaults)
    {
        var endings = modules.Select(static m => m.Name.Split('.')[^1]).ToHashSet();
        return defaults.FirstOrDefault(t => t.All(name => endings.Contains(name.Split('.')[^1]))) is { } names
            ? ModuleTargets.Create(names)
            : ModuleTargets.AllLinear;
    }

    private static IEnumerable<string> EndingsFor(string name, IReadOnlyList<string> modules)
    {
        if (modules.Any(m => TargetSelector.EndsWith(m, name)))
            return [name];
        return modules.Select(m => $".{m}")
            .Where(path => path.Contains($".{name}.", StringComparison.Ordinal))
            .Select(path => path[(path.LastIndexOf($".{name}.", StringComparison.Ordinal) + 1)..]);
    }
}
