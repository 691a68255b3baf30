using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>From what a configuration says of modules to the modules of a graph, and back to what HF PEFT reads.</summary>
internal static class TargetResolution
{
    /// <summary>Picks the modules that a configuration means.</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    /// <param name="config">The configuration.</param>
    /// <param name="defaults">
    /// The method's own targets by naming family, tried in order where the configuration has none: the first whose names
    /// all occur counts, else every linear layer.
    /// </param>
    /// <exception cref="ConfigException">It means no module.</exception>
    public static IReadOnlyList<LinearModule> Select(
        Graph graph, TargetedConfig config, params IReadOnlyList<string[]> defaults)
    {
        var modules = ModuleCatalogue.LinearModules(graph);
        return Select(modules, config, config.TargetModules ?? DefaultFor(modules, defaults));
    }

    /// <summary>
    /// Picks modules, and writes the choice as HF PEFT can read it back: a container's name becomes the names inside it,
    /// a default the names it means.
    /// </summary>
    public static (T Config, IReadOnlyList<LinearModule> Selected) Resolve<T>(
        Graph graph, T config, params IReadOnlyList<string[]> defaults)
        where T : TargetedConfig
    {
        var modules = ModuleCatalogue.LinearModules(graph);
        var targets = config.TargetModules ?? DefaultFor(modules, defaults);
        var selected = Select(modules, config, targets);
        if (config.TargetModules is null && targets.Pattern is not null)
            targets = ModuleTargets.Listed(selected.Select(static m => m.Name.Split('.')[^1]).Distinct());
        var namesLayers = config.LayersToTransform is { Count: > 0 };
        if (namesLayers && (targets.Pattern is not null || !config.HasLayerFields))
            targets = ModuleTargets.Listed(selected.Select(static m => m.Name)); // HF PEFT takes layers with lists only
        else if (targets.Pattern is null)
            targets = ModuleTargets.Listed(targets.Names.SelectMany(name => EndingsFor(name, selected)).Distinct());
        var resolved = config with
        {
            TargetModules = targets,
            FanInFanOut = selected.Any(static m =>
                !m.IsOutByIn && m.Weight.Name.EndsWith(".weight", StringComparison.Ordinal)),
        };
        return (resolved, selected);
    }

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

    private static IEnumerable<string> EndingsFor(string name, IReadOnlyList<LinearModule> selected)
    {
        if (selected.Any(m => m.Name == name || m.Name.EndsWith("." + name, StringComparison.Ordinal)))
            return [name];
        return selected.Select(m => $".{m.Name}")
            .Where(path => path.Contains($".{name}.", StringComparison.Ordinal))
            .Select(path => path[(path.LastIndexOf($".{name}.", StringComparison.Ordinal) + 1)..]);
    }
}
