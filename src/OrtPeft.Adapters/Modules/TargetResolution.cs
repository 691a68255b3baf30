using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>From what a configuration says of modules to the modules of a graph, and back to what HF PEFT
/// reads.</summary>
internal static class TargetResolution
{
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
    /// <param name="hasParameters">Whether it means parameters too, so that no module is needed.</param>
    public static (T Config, IReadOnlyList<LinearModule> Selected) Resolve<T>(
        Graph graph,
        T config,
        IReadOnlyList<string> others,
        IReadOnlyList<string[]> defaults,
        bool hasParameters = false)
        where T : TargetedConfig
    {
        var modules = ModuleCatalogue.LinearModules(graph);
        var targets = config.TargetModules ?? DefaultFor(modules, defaults);
        var selected = others.Count > 0 || hasParameters ? Find(modules, config, targets) : Select(modules, config, targets);
        IReadOnlyList<string> names = [.. others, .. selected.Select(static m => m.Name)];
        var resolved = WrittenTargets.For(config, targets, names, modules, EmbeddingCatalogue.Embeddings(graph)) with
        {
            FanInFanOut = selected.Any(static m => m.IsConv1D),
        };
        return (resolved, selected);
    }

    /// <summary>Whether a configuration names a module that is not a linear layer, itself or by a pattern.</summary>
    public static bool Names(TargetedConfig config, string module)
    {
        if (config.TargetModules is not { } targets || targets.Pattern == ModuleTargets.AllLinear
            || TargetSelector.IsSaved(module, config.ModulesToSave))
            return false;
        var isNamed = targets.Pattern is null
            ? targets.Names.Any(name => TargetSelector.EndsWith(module, name))
            : TargetSelector.Matches(module, targets);
        var isExcluded = config.ExcludeModules is { } exclude && TargetSelector.IsExcluded(module, exclude);
        var isInLayers = config.LayersToTransform is not { Count: > 0 } layers || targets.Names.Contains(module)
            || TargetSelector.IsInLayers(module, layers, config.LayersPattern);
        return isNamed && !isExcluded && isInLayers;
    }

    private static IReadOnlyList<LinearModule> Find(
        IReadOnlyList<LinearModule> modules, TargetedConfig config, ModuleTargets targets) =>
        TargetSelector.Find(
            NotSaved(modules, config), targets, config.ExcludeModules, config.LayersToTransform, config.LayersPattern);

    private static IReadOnlyList<LinearModule> Select(
        IReadOnlyList<LinearModule> modules, TargetedConfig config, ModuleTargets targets) =>
        TargetSelector.Select(
            NotSaved(modules, config),
            targets,
            config.ExcludeModules,
            config.LayersToTransform,
            config.LayersPattern);

    /// <summary>The modules that are not saved as a whole; those that are saved are not targets, whatever names
    /// them.</summary>
    private static IReadOnlyList<LinearModule> NotSaved(IReadOnlyList<LinearModule> modules, TargetedConfig config) =>
        config.ModulesToSave is { Count: > 0 } saved
            ? [.. modules.Where(m => !TargetSelector.IsSaved(m.Name, saved))]
            : modules;

    private static ModuleTargets DefaultFor(IReadOnlyList<LinearModule> modules, IReadOnlyList<string[]> defaults)
    {
        bool IsThere(string name) => modules.Any(m => TargetSelector.EndsWith(m.Name, name));
        return defaults.FirstOrDefault(t => t.All(IsThere)) is { } names
            ? ModuleTargets.Create(names)
            : ModuleTargets.AllLinear;
    }
}
