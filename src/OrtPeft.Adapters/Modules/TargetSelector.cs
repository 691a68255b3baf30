using System.Globalization;
using System.Text.RegularExpressions;

namespace OrtPeft.Adapters.Modules;

/// <summary>Picks the modules that a configuration targets, by HF PEFT's rules.</summary>
internal static class TargetSelector
{
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Picks modules.</summary>
    /// <param name="modules">All linear layers of the model.</param>
    /// <param name="targets">
    /// Names, endings, a pattern, or <c>all-linear</c>. A listed name that is a container's (<c>attn</c>) picks every
    /// linear layer inside it; HF PEFT refuses such a name.
    /// </param>
    /// <param name="exclude">Modules not to pick, by the same rules; null for none.</param>
    /// <param name="layers">
    /// Only layers of these numbers; null or none for all. A module listed by its whole name is picked whatever its
    /// layer.
    /// </param>
    /// <param name="layersPattern">What stands before the layer's number in a name, such as <c>h</c>; null for
    /// anything.</param>
    /// <returns>The picked modules, in the model's order.</returns>
    /// <exception cref="ConfigException">Nothing matches; the message lists what would have matched.</exception>
    public static IReadOnlyList<LinearModule> Select(
        IReadOnlyList<LinearModule> modules,
        ModuleTargets targets,
        ModuleTargets? exclude = null,
        IReadOnlyList<int>? layers = null,
        IReadOnlyList<string>? layersPattern = null)
    {
        ArgumentNullException.ThrowIfNull(modules);
        ArgumentNullException.ThrowIfNull(targets);
        var selected = Find(modules, targets, exclude, layers, layersPattern);
        return selected.Count > 0 ? selected : throw NothingMatches(modules, targets, layers);
    }

    /// <summary>As <see cref="Select"/>, where it is not an error that nothing matches.</summary>
    internal static IReadOnlyList<LinearModule> Find(
        IReadOnlyList<LinearModule> modules,
        ModuleTargets targets,
        ModuleTargets? exclude,
        IReadOnlyList<int>? layers,
        IReadOnlyList<string>? layersPattern) =>
        [
            .. modules.Where(m => Matches(m, targets))
                .Where(m => exclude is null || !IsExcluded(m.Name, exclude))
                .Where(m => layers is null or [] || targets.Names.Contains(m.Name)
                    || IsInLayers(m.Name, layers, layersPattern)),
        ];

    /// <summary>
    /// The value of the first pattern that matches a module's name, as HF PEFT reads <c>rank_pattern</c>.
    /// </summary>
    /// <typeparam name="T">The values' type.</typeparam>
    /// <param name="patterns">Patterns for the end of a name, in order.</param>
    /// <param name="name">The module's name.</param>
    /// <param name="otherwise">What to take when none matches.</param>
    /// <returns>The value.</returns>
    public static T ByPattern<T>(IEnumerable<KeyValuePair<string, T>> patterns, string name, T otherwise)
    {
        ArgumentNullException.ThrowIfNull(patterns);
        foreach (var (pattern, value) in patterns)
        {
            if (MatchOf(name, @"^(.*\.)?(", pattern, ")$").Success)
                return value;
        }

        return otherwise;
    }

    /// <summary>Whether targets mean a linear layer.</summary>
    internal static bool Matches(LinearModule module, ModuleTargets targets) =>
        targets.Pattern == ModuleTargets.AllLinear ? module is { IsOutputLayer: false, IsRouter: false } : Matches(module.Name, targets);

    /// <summary>Whether targets mean a module that is not a linear layer: by name or pattern.</summary>
    internal static bool Matches(string module, ModuleTargets targets) => targets.Pattern switch
    {
        null => targets.Names.Any(name => EndsWith(module, name) || IsInside(module, name)),
        var pattern => MatchOf(module, "^(?:", pattern, ")$").Success,
    };

    /// <summary>Whether HF PEFT takes a module for excluded: by its name or end, or by a pattern, never by a
    /// container's name.</summary>
    internal static bool IsExcluded(string module, ModuleTargets exclude) =>
        exclude.Pattern is null ? exclude.Names.Any(name => EndsWith(module, name)) : Matches(module, exclude);

    /// <summary>Whether HF PEFT leaves a module out since it, or what holds it, is in <c>modules_to_save</c>.</summary>
    internal static bool IsSaved(string module, IReadOnlyList<string>? modulesToSave) => modulesToSave is not null
        && modulesToSave.Any(name => MatchOf(module, @"^(?:|.*\.)(?:", name, @")(?:$|\..*)").Success);

    /// <summary>Whether a name is a module's, or its end.</summary>
    internal static bool EndsWith(string module, string name) =>
        module == name || module.EndsWith("." + name, StringComparison.Ordinal);

    private static bool IsInside(string module, string container)
    {
        for (var dot = module.LastIndexOf('.'); dot > 0; dot = module.LastIndexOf('.', dot - 1))
        {
            if (EndsWith(module[..dot], container))
                return true;
        }

        return false;
    }

    /// <summary>Whether the layer's number in a module's name is one of these.</summary>
    internal static bool IsInLayers(string module, IReadOnlyList<int> layers, IReadOnlyList<string>? patterns) =>
        LayerOf(module, patterns) is { } layer && layers.Contains(layer);

    /// <summary>The layer's number in a module's name, or null where it has none.</summary>
    internal static int? LayerOf(string module, IReadOnlyList<string>? patterns)
    {
        var any = patterns is { Count: > 0 } ? patterns : [@"[^\.]*"];
        var match = any.Select(name => MatchOf(module, @"^.*?\.(?:", name, @")\.([0-9]+)\."))
            .FirstOrDefault(static m => m.Success);
        var number = match is null ? default : match.Groups[^1].ValueSpan;
        return int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var layer) ? layer : null;
    }

    /// <summary>The reason, without the expression that the pattern was put into.</summary>
    private static string ReasonOf(RegexParseException e) =>
        e.Message[(e.Message.LastIndexOf($"at offset {e.Offset}. ", StringComparison.Ordinal) is var at and >= 0
            ? at + $"at offset {e.Offset}. ".Length
            : 0)..];

    /// <summary>A pattern of Python's within an expression.</summary>
    /// <param name="name">The module's name.</param>
    /// <param name="before">What stands before the pattern; every bracket in it that is not <c>(?</c> is a
    /// group.</param>
    /// <param name="pattern">The pattern.</param>
    /// <param name="after">What follows it.</param>
    private static Match MatchOf(string name, string before, string pattern, string after)
    {
        try
        {
            var translated = PythonPattern.ToDotNet(pattern, before.Count('(') - before.AsSpan().Count("(?"));
            return Regex.Match(name, before + translated + after, RegexOptions.CultureInvariant, MatchTimeout);
        }
        catch (RegexParseException e)
        {
            throw new ConfigException($"The pattern '{pattern}' is not a regular expression: {ReasonOf(e)}", e);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new ConfigException($"The pattern '{pattern}' takes too long on '{name}'; write a simpler one.", e);
        }
    }

    private static ConfigException NothingMatches(
        IReadOnlyList<LinearModule> modules, ModuleTargets targets, IReadOnlyList<int>? layers)
    {
        var endings = modules.Where(static m => !m.IsOutputLayer)
            .Select(static m => m.Name.Split('.')[^1]).Distinct().ToArray();
        if (endings.Length == 0)
        {
            return new ConfigException(
                $"target_modules '{targets}' matches nothing: the graph has no linear layer that OrtPeft adapts, " +
                "a MatMul or Gemm by a constant matrix or by one that DequantizeLinear makes; export the model in " +
                "float from PyTorch or with Optimum.");
        }

        var where = layers is null ? "" : $" in the layers {string.Join(", ", layers)}";
        var hint = targets.Names.Select(name => PackedNames.Hint(name, modules.Select(static m => m.Name)))
            .FirstOrDefault(static h => h.Length > 0, "");
        return new ConfigException(
            $"target_modules '{targets}' matches no linear layer{where}{hint}; " +
            $"these would: {string.Join(", ", endings)}, {ModuleTargets.AllLinear}.");
    }
}
