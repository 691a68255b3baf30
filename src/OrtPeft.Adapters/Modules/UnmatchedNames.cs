using System.Globalization;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Finds what a configuration names and the model does not have: such an entry changes nothing, which nobody means who
/// writes it. Every finding is a clause that says what would match.
/// </summary>
internal sealed class UnmatchedNames
{
    private readonly TargetedConfig _config;
    private readonly ModuleTargets? _targets;
    private readonly IReadOnlyList<string> _all;
    private readonly IReadOnlyList<string> _adaptable;
    private readonly IReadOnlyList<string> _adapted;
    private readonly IReadOnlyList<string> _patterned;

    private UnmatchedNames(Graph graph, TargetedConfig config, Injection injection)
    {
        _config = config;
        _targets = config.TargetModules ?? (injection.Config as TargetedConfig)?.TargetModules;
        _adaptable = config.Adaptable(graph);
        _all = [.. ModuleCatalogue.LinearModules(graph).Select(static m => m.Name)
            .Concat(EmbeddingCatalogue.Embeddings(graph).Select(static m => m.Name))
            .Concat(VectorCatalogue.Vectors(graph).Select(static v => v.Module))
            .Concat(_adaptable).Distinct()];
        _adapted = [.. _adaptable.Where(m => injection.Parameters.Any(p => p.AllNames.Any(n => IsOf(n, m))))];
        _patterned = [.. _adapted, .. (injection.Config as TargetedConfig ?? config).AdaptedParameters(graph)];
    }

    /// <summary>Looks for such entries in a configuration as it was given.</summary>
    /// <param name="graph">The graph without the adapter, in canonical form.</param>
    /// <param name="config">The configuration.</param>
    /// <param name="injection">What the method made of it.</param>
    /// <returns>A clause per entry; none where everything matches.</returns>
    public static IReadOnlyList<string> Of(Graph graph, PeftConfig config, Injection injection)
    {
        if (config is not TargetedConfig targeted)
            return [.. SavedModules.Unmatched(graph, config)];
        var names = new UnmatchedNames(graph, targeted, injection);
        return
        [
            .. names.Targets(), .. names.Exclusions(), .. names.Layers(), .. names.Patterns(), .. names.Subsets(),
            .. SavedModules.Unmatched(graph, targeted),
        ];
    }

    /// <summary>The listed targets that mean none of some modules.</summary>
    public static IEnumerable<string> OfTargets(ModuleTargets targets, IReadOnlyList<string> modules) =>
        Listed("target_modules", targets, modules, "no module that can be adapted");

    private IEnumerable<string> Targets() =>
        _config.TargetModules is { } targets ? OfTargets(targets, _adaptable) : [];

    private IEnumerable<string> Exclusions()
    {
        const string Field = "exclude_modules";
        if (_config.ExcludeModules is not { } exclude)
            return [];
        if (exclude.Pattern is null)
        {
            return exclude.Names.Where(name => !_all.Any(m => TargetSelector.EndsWith(m, name)))
                .SelectMany(name => Listed(Field, [name], _all, "no module").DefaultIfEmpty(
                    $"{Field} has '{name}', which holds modules and is none: as in HF PEFT, it excludes nothing; list "
                    + "what is in it"));
        }

        return _all.Any(m => TargetSelector.Matches(m, exclude))
            ? []
            : [PatternOfNone(Field, exclude, _all)];
    }

    private IEnumerable<string> Layers()
    {
        const string Field = "layers_pattern";
        var patterns = _config.LayersPattern ?? [];
        if (patterns.Count > 0 && _config.LayersToTransform is not { Count: > 0 })
            yield return $"{Field} {string.Join(", ", patterns)} stands without layers_to_transform and picks nothing";
        foreach (var pattern in patterns.Where(p => !_adaptable.Any(m => TargetSelector.LayerOf(m, [p]) is not null)))
            yield return $"{Field} has '{pattern}', which stands before no layer's number; names are such as "
                + _adaptable[^1];

        var isAll = _targets is null || _targets.Pattern == ModuleTargets.AllLinear;
        var names = isAll || _targets!.Names.Any(_adaptable.Contains)
            ? _adaptable // a whole name is picked whatever its layer
            : _adaptable.Where(m => TargetSelector.Matches(m, _targets));
        foreach (var (field, layers, ofPattern) in _config.NumberedLayers)
        {
            var there = names.Select(m => TargetSelector.LayerOf(m, ofPattern)).OfType<int>().Distinct().Order();
            foreach (var layer in layers.Except(there))
                yield return string.Create(
                    CultureInfo.InvariantCulture,
                    $"{field} has {layer}; the targets are in the layers {Range([.. there])}");
        }
    }

    /// <summary>The first pattern that matches a module decides, so that a later one may never do.</summary>
    private IEnumerable<string> Patterns()
    {
        foreach (var (field, patterns) in _config.ModulePatterns)
        {
            var decides = _patterned.Select(m => TargetSelector.ByPattern(
                patterns.Select(static p => KeyValuePair.Create(p, (string?)p)), m, null)).ToHashSet();
            foreach (var pattern in patterns.Where(p => !decides.Contains(p)))
            {
                var alone = KeyValuePair.Create(pattern, true);
                var isShadowed = _patterned.Any(m => TargetSelector.ByPattern([alone], m, false));
                yield return isShadowed
                    ? $"{field} has '{pattern}' after an entry that matches the same modules and wins; put it first"
                    : $"{field} has '{pattern}', which matches no adapted module; these are: {Endings(_patterned)}";
            }
        }
    }

    private IEnumerable<string> Subsets() => _config.ModuleSubsets.SelectMany(s => s.Modules switch
    {
        { Pattern: null } listed => Listed(s.Field, listed, _adapted, "no adapted module"),
        var pattern when _adapted.Any(m => TargetSelector.Matches(m, pattern)) => [],
        var pattern => [PatternOfNone(s.Field, pattern, _adapted)],
    });

    private static IEnumerable<string> Listed(
        string field, ModuleTargets listed, IReadOnlyList<string> modules, string none) =>
        listed.Names.Where(name => !modules.Any(m => TargetSelector.Matches(m, [name])))
            .Select(name => $"{field} has '{name}', which matches {none}{PackedNames.Hint(name, modules)}; these would: {Endings(modules)}");

    private static string PatternOfNone(string field, ModuleTargets pattern, IReadOnlyList<string> modules) =>
        $"{field} '{pattern}' is a regular expression and matches no module's whole name, such as "
        + $"{modules.FirstOrDefault("none")}; as a list, [\"{pattern}\"], it would name endings";

    private static bool IsOf(string parameter, string module) =>
        HfName.PartOf(parameter, module) is { } part && !HfName.IsBias(part);

    private static string Endings(IReadOnlyList<string> modules) =>
        string.Join(", ", modules.Select(static m => m.Split('.')[^1]).Distinct().DefaultIfEmpty("none"));

    private static string Range(IReadOnlyList<int> numbers) => numbers switch
    {
        [] => "none",
        [var first, .., var last] when last - first == numbers.Count - 1 =>
            string.Create(CultureInfo.InvariantCulture, $"{first} to {last}"),
        _ => string.Join(", ", numbers),
    };
}
