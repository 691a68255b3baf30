using System.Text.RegularExpressions;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Quantization;

namespace OrtPeft.Adapters.LnTuning;

/// <summary>
/// The modules that normalisation tuning trains: normalisations, and as in HF PEFT any linear layer or embedding that
/// is named, as a whole.
/// </summary>
internal static class LnTuningModules
{
    /// <summary>The parameters that a configuration means.</summary>
    /// <exception cref="ConfigException">It means none, or one that is quantised.</exception>
    public static IReadOnlyList<SavedParameter> Select(Graph graph, LnTuningConfig config)
    {
        var (norms, others) = (VectorCatalogue.NormVectors(graph), OthersNamed(graph, config));
        if (others.FirstOrDefault(static s => QuantizedWeight.Find(s.Value) is not null) is { } quantized)
            throw new ConfigException(
                $"target_modules has {quantized.Module}, whose weight is quantised; leave it out, or leave the layer "
                + "out of quantisation.");
        if (norms.Count == 0 && others.Count == 0 && FoldedNorms.Unnamed(graph) is { } scale)
            throw new ConfigException(
                $"The normalisations' scales are numbers that the exporter computed, such as {scale}, and only the family tells "
                + "whether they are a weight or one more than it; put the model's config.json beside the graph if it is a Gemma or "
                + "Nemotron, else export it with do_constant_folding=False.");
        var selected = others.Count > 0
            ? VectorSelection.Find(norms, config)
            : VectorSelection.Select(norms, config, "normalisation parameters");
        return [.. selected.Select(SavedParameter.Of), .. others];
    }

    /// <summary>The modules that can train: every normalisation, and what is named beside them.</summary>
    public static IReadOnlyList<string> Adaptable(Graph graph, LnTuningConfig config) =>
    [
        .. VectorCatalogue.NormVectors(graph).Select(static v => v.Module)
            .Concat(OthersNamed(graph, config with { ExcludeModules = null, LayersToTransform = null })
                .Select(static s => s.Module))
            .Distinct(),
    ];

    /// <summary>
    /// Targets by which HF PEFT chooses the same, and nothing as a container: those that were given, else the names'
    /// ends, else whole names, which need no layers' numbers.
    /// </summary>
    public static LnTuningConfig Written(Graph graph, LnTuningConfig config, IReadOnlyList<SavedParameter> selected)
    {
        var chosen = selected.Select(static s => s.Module).ToHashSet(StringComparer.Ordinal);
        var modules = SavedModules.All(graph).Select(static s => s.Module).Distinct().ToList();
        var containers = modules.SelectMany(Containers).Distinct();
        IReadOnlyList<string> all = [.. modules, .. containers];
        ModuleTargets?[] forms =
        [
            config.TargetModules,
            ModuleTargets.Listed(chosen.Select(static m => m.Split('.')[^1]).Distinct()),
            ModuleTargets.Listed(chosen),
        ];
        var isAll = config.TargetModules?.Pattern == ModuleTargets.AllLinear;
        var found = forms.OfType<ModuleTargets>().Skip(isAll ? 1 : 0).FirstOrDefault(Means)
            ?? ModuleTargets.Matching(string.Join('|', chosen.Select(Regex.Escape)));
        return config with { TargetModules = found };

        bool Means(ModuleTargets targets) => all.All(m =>
            TargetResolution.Names(config with { TargetModules = targets, LayersToTransform = null }, m)
            == chosen.Contains(m));
    }

    private static IEnumerable<string> Containers(string module)
    {
        for (var dot = module.LastIndexOf('.'); dot > 0; dot = module.LastIndexOf('.', dot - 1))
            yield return module[..dot];
    }

    private static List<SavedParameter> OthersNamed(Graph graph, LnTuningConfig config)
    {
        if (config.TargetModules is not { } targets)
            return [];
        var norms = VectorCatalogue.NormVectors(graph).Select(static v => v.Module).ToHashSet(StringComparer.Ordinal);
        var linear = TargetSelector.Find(
            ModuleCatalogue.LinearModules(graph),
            targets,
            config.ExcludeModules,
            config.LayersToTransform,
            config.LayersPattern).Select(static m => m.Name).ToHashSet(StringComparer.Ordinal);
        var isAll = targets.Pattern == ModuleTargets.AllLinear;
        return [.. SavedModules.All(graph).Where(s => !norms.Contains(s.Module))
            .Where(s => isAll
                ? linear.Contains(s.Module) && !TargetSelector.IsSaved(s.Module, config.ModulesToSave)
                : TargetResolution.Names(config, s.Module))];
    }
}
