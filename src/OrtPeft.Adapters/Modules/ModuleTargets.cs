using System.Buffers;
using System.Collections;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// The modules that a method adapts, as HF PEFT's <c>target_modules</c>: a list of names or name endings, one regular
/// expression that must match a whole name, or <c>all-linear</c>. Immutable; equal when the written form is.
/// </summary>
[CollectionBuilder(typeof(ModuleTargets), nameof(Create))]
public sealed class ModuleTargets : IEquatable<ModuleTargets>, IEnumerable<string>
{
    /// <summary>The word for every linear layer but the output layer and those that choose experts.</summary>
    public const string AllLinear = "all-linear";

    private static readonly SearchValues<char> PatternSigns = SearchValues.Create(@"*+?[](){}|^$\");

    private ModuleTargets(string? pattern, IReadOnlyList<string> names)
    {
        Pattern = pattern;
        Names = names;
    }

    /// <summary>The regular expression, or <c>all-linear</c>; null when names are listed.</summary>
    public string? Pattern { get; }

    /// <summary>The listed names; empty when there is a pattern.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>A regular expression or <c>all-linear</c>.</summary>
    /// <param name="pattern">The expression.</param>
    public static implicit operator ModuleTargets(string pattern) => Matching(pattern);

    /// <summary>Listed names; what collection expressions call. The one entry <c>all-linear</c> means that word.</summary>
    /// <param name="names">Names or endings.</param>
    /// <returns>The targets.</returns>
    public static ModuleTargets Create(ReadOnlySpan<string> names) => Of([.. names]);

    /// <summary>A regular expression or <c>all-linear</c>.</summary>
    /// <param name="pattern">The expression; it must match a module's whole name.</param>
    /// <returns>The targets.</returns>
    public static ModuleTargets Matching(string pattern) => new(pattern, []);

    /// <summary>Listed names; the one entry <c>all-linear</c> means that word.</summary>
    /// <param name="names">Whole names, endings such as <c>c_attn</c> or <c>attn.c_proj</c>, or a container's
    /// name.</param>
    /// <returns>The targets.</returns>
    public static ModuleTargets Listed(params IEnumerable<string> names) => Of([.. names]);

    /// <summary>
    /// Reads what a person types: <c>a,b</c> is a list, anything with a regular expression's signs is one.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <returns>The targets.</returns>
    public static ModuleTargets Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var isPattern = text == AllLinear || text.AsSpan().ContainsAny(PatternSigns);
        return isPattern
            ? Matching(text)
            : Listed(text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    /// <inheritdoc/>
    public IEnumerator<string> GetEnumerator() => Names.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public bool Equals(ModuleTargets? other) =>
        other is not null && Pattern == other.Pattern && Names.SequenceEqual(other.Names);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ModuleTargets);

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>The pattern, or the names with commas.</summary>
    /// <returns>Text that <see cref="Parse"/> reads.</returns>
    public override string ToString() => Pattern ?? string.Join(',', Names);

    private static ModuleTargets Of(IReadOnlyList<string> names) => names is [AllLinear]
        ? Matching(AllLinear)
        : names.Contains(AllLinear)
            ? throw new ConfigException(
                $"target_modules lists '{AllLinear}' among names ({string.Join(", ", names)}); give it alone.")
            : new(null, names);

    internal static ModuleTargets? FromJson(JsonNode? json, string field) => json switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => Matching(text),
        JsonArray list when list.All(static e => e is JsonValue v && v.TryGetValue<string>(out _)) =>
            Listed(list.Select(static e => e!.GetValue<string>())),
        _ => throw new ConfigException($"{field} is {json.ToJsonString()}; it must be a text or a list of texts."),
    };

    internal JsonNode ToJson() =>
        Pattern is null ? new JsonArray([.. Names.Select(static n => (JsonNode?)n)]) : JsonValue.Create(Pattern);
}
