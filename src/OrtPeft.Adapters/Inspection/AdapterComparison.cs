using System.Text.Json.Nodes;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Inspection;

/// <summary>How two adapters differ, as far as their files tell.</summary>
public sealed record AdapterComparison
{
    /// <summary>The fields of the configurations that differ; lists of names count as sets.</summary>
    public required IReadOnlyList<SettingDifference> Settings { get; init; }

    /// <summary>The names of tensors that the second adapter lacks.</summary>
    public required IReadOnlyList<string> OnlyInFirst { get; init; }

    /// <summary>The names of tensors that the first adapter lacks.</summary>
    public required IReadOnlyList<string> OnlyInSecond { get; init; }

    /// <summary>The tensors of both, also those that are equal.</summary>
    public required IReadOnlyList<TensorDifference> Tensors { get; init; }

    /// <summary>The changes that they make to the base's weights, where both are LoRA of one base; null
    /// otherwise.</summary>
    public required DeltaComparison? Deltas { get; init; }

    /// <summary>Why there are no <see cref="Deltas"/>; null where there are.</summary>
    public required string? WhyNoDeltas { get; init; }

    /// <summary>Whether nothing differs.</summary>
    public bool IsEqual => Settings.Count == 0 && OnlyInFirst.Count == 0 && OnlyInSecond.Count == 0
        && Tensors.All(static t => t.Differing == 0);

    /// <summary>Compares two adapters; reads all weights, a module at a time.</summary>
    /// <param name="first">One.</param>
    /// <param name="second">The other.</param>
    /// <returns>The comparison.</returns>
    public static AdapterComparison Of(StoredAdapter first, StoredAdapter second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        var (deltas, whyNone) = DeltaComparison.Of(first, second);
        return new AdapterComparison
        {
            Settings = [.. SettingsOf(first.Config.ToJson(), second.Config.ToJson())],
            OnlyInFirst = [.. first.Tensors.Keys.Where(name => !second.Tensors.ContainsKey(name))],
            OnlyInSecond = [.. second.Tensors.Keys.Where(name => !first.Tensors.ContainsKey(name))],
            Tensors = [.. first.Tensors.Where(t => second.Tensors.ContainsKey(t.Key))
                .Select(t => TensorDifference.Of(t.Key, t.Value, second.Tensors[t.Key]))],
            Deltas = deltas,
            WhyNoDeltas = whyNone,
        };
    }

    private static IEnumerable<SettingDifference> SettingsOf(JsonObject first, JsonObject second) =>
        from name in first.Select(static f => f.Key).Union(second.Select(static f => f.Key))
        let before = TextOf(first[name])
        let now = TextOf(second[name])
        where before != now
        select new SettingDifference(name, before, now);

    private static string TextOf(JsonNode? value) => value is JsonArray list && list.All(IsText)
        ? new JsonArray([.. list.Select(static n => (string)n!).Order(StringComparer.Ordinal)
            .Select(static n => (JsonNode)n)]).ToJsonString()
        : value?.ToJsonString() ?? "null";

    private static bool IsText(JsonNode? node) => node?.GetValueKind() == System.Text.Json.JsonValueKind.String;
}
