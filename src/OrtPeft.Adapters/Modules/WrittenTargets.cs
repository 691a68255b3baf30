using System.Text.RegularExpressions;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// The choice of modules as a configuration's fields, so that HF PEFT and a later reading here choose the same: what
/// was asked for where that does it, else the names' ends, the whole names, or a pattern of these.
/// </summary>
internal static class WrittenTargets
{
    /// <summary>Writes a choice.</summary>
    /// <param name="config">The configuration that it was made by.</param>
    /// <param name="targets">Its targets, or the method's own.</param>
    /// <param name="names">The chosen modules.</param>
    /// <param name="modules">All linear layers.</param>
    /// <param name="embeddings">All embeddings.</param>
    /// <returns>The configuration with other fields of modules and layers where need be.</returns>
    public static T For<T>(
        T config,
        ModuleTargets targets,
        IReadOnlyList<string> names,
        IReadOnlyList<LinearModule> modules,
        IReadOnlyList<EmbeddingModule> embeddings)
        where T : TargetedConfig
    {
        if (config.TargetModules is null && targets.Pattern is not null)
            targets = ModuleTargets.Listed(LastNames(names));
        var asked = targets.Pattern is null
            ? ModuleTargets.Listed(targets.Names.SelectMany(name => EndingsFor(name, names)).Distinct())
            : targets;
        T[] forms =
        [
            config with { TargetModules = asked },
            Alone(config, ModuleTargets.Listed(LastNames(names))),
            Alone(config, ModuleTargets.Listed(names)),
            Alone(config, ModuleTargets.Matching(string.Join('|', names.Select(Regex.Escape)))),
        ];
        var chosen = names.ToHashSet(StringComparer.Ordinal);
        return forms.FirstOrDefault(form => IsWritable(form) && Means(form, chosen, modules, embeddings)) ?? forms[^1];
    }

    /// <summary>Targets without anything that takes modules away again.</summary>
    private static T Alone<T>(T config, ModuleTargets targets)
        where T : TargetedConfig => config with
        {
            TargetModules = targets,
            ExcludeModules = null,
            LayersToTransform = null,
            LayersPattern = null,
        };

    /// <summary>HF PEFT takes layers with lists only, and not every method has all fields.</summary>
    private static bool IsWritable(TargetedConfig config) =>
        (config.LayersToTransform is not { Count: > 0 } || (config.TargetModules!.Pattern is null && config.HasLayerFields))
        && (config.ExcludeModules is null || config.HasExcludeModules);

    private static bool Means(
        TargetedConfig config,
        HashSet<string> names,
        IReadOnlyList<LinearModule> modules,
        IReadOnlyList<EmbeddingModule> embeddings)
    {
        var isAll = config.TargetModules!.Pattern == ModuleTargets.AllLinear;
        var others = embeddings.Select(static e => e.Name);
        // A router is a layer in some versions of HF's models and a bare parameter in others.
        return !(isAll && modules.Any(static m => m.IsRouter))
            && modules.All(m => IsMeant(config, m) == names.Contains(m.Name))
            && modules.All(m => isAll || TargetResolution.Names(config, m.Name) == names.Contains(m.Name))
            && others.All(e => TargetResolution.Names(config, e) == names.Contains(e));
    }

    private static bool IsMeant(TargetedConfig config, LinearModule module) =>
        !TargetSelector.IsSaved(module.Name, config.ModulesToSave) && TargetSelector.Find(
        [module],
        config.TargetModules!,
        config.ExcludeModules,
        config.LayersToTransform,
        config.LayersPattern).Count > 0;

    private static IEnumerable<string> LastNames(IReadOnlyList<string> names) =>
        names.Select(static n => n.Split('.')[^1]).Distinct();

    /// <summary>A container's name becomes the names inside it.</summary>
    private static IEnumerable<string> EndingsFor(string name, IReadOnlyList<string> modules)
    {
        if (modules.Any(m => TargetSelector.EndsWith(m, name)))
            return [name];
        return modules.Select(m => $".{m}")
            .Where(path => path.Contains($".{name}.", StringComparison.Ordinal))
            .Select(path => path[(path.LastIndexOf($".{name}.", StringComparison.Ordinal) + 1)..]);
    }
}
