using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrtPeft.Training.Data.Forms;

/// <summary>
/// Conversations as ShareGPT has them: turns of <c>from</c> and <c>value</c>. A function call becomes an assistant's
/// <c>tool_calls</c>; a <c>system</c> text beside the turns becomes the first of them.
/// </summary>
internal static class ShareGpt
{
    private const string Call = "function_call";

    private static readonly FrozenDictionary<string, string> Roles = new Dictionary<string, string>
    {
        ["human"] = "user",
        ["user"] = "user",
        ["gpt"] = "assistant",
        ["chatgpt"] = "assistant",
        ["assistant"] = "assistant",
        ["model"] = "assistant",
        ["bing"] = "assistant",
        ["bard"] = "assistant",
        ["system"] = "system",
        ["developer"] = "developer",
        ["tool"] = "tool",
        ["observation"] = "tool",
        ["function_response"] = "tool",
        [Call] = "assistant",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Whether turns name who speaks by <c>from</c>.</summary>
    public static bool IsOne(JsonElement turns) =>
        turns.ValueKind == JsonValueKind.Array && turns.GetArrayLength() > 0
        && turns[0].ValueKind == JsonValueKind.Object
        && turns[0].TryGetProperty("from", out _) && !turns[0].TryGetProperty("role", out _);

    /// <summary>Whether turns name who speaks by <c>from</c>.</summary>
    public static bool IsOne(JsonArray turns) =>
        turns is [JsonObject first, ..] && first.ContainsKey("from") && !first.ContainsKey("role");

    public static JsonArray Messages(DataPlace place, ImmutableArray<string> fields, JsonObject row) =>
        Turns(place, fields[0], row);

    /// <summary>The turns of a field, which is taken out of the row.</summary>
    public static JsonArray Turns(DataPlace place, string field, JsonObject row)
    {
        if (row[field] is not JsonArray turns)
            throw place.Error(field, $"the value is {FieldValue.Kind(row[field])}; expected an array");
        row.Remove(field);
        var messages = new JsonArray();
        foreach ((var i, var turn) in turns.ToArray().Index())
        {
            var path = FormattableString.Invariant($"{field}[{i}]");
            if (turn is not JsonObject fields)
                throw place.Error(path, $"the value is {FieldValue.Kind(turn)}; expected an object");
            turns[i] = null;
            messages.Add(fields.ContainsKey("role") ? fields : Message(place, path, fields));
        }

        SystemText.PutFirst(place, row, messages);
        return messages;
    }

    private static JsonObject Message(DataPlace place, string path, JsonObject turn)
    {
        var from = Text(place, path, turn, "from");
        if (!Roles.TryGetValue(from, out var role))
        {
            var known = string.Join(", ", Roles.Keys.Order(StringComparer.Ordinal));
            throw place.Error($"{path}.from", $"the speaker is {DataPlace.Quote(from)}; expected one of {known}");
        }

        turn.Remove("from");
        var message = new JsonObject { ["role"] = role };
        if (from == Call)
            message["tool_calls"] = Calls(place, $"{path}.value", Text(place, path, turn, "value"));
        else
            message["content"] = turn["value"]?.DeepClone();
        turn.Remove("value");
        foreach ((var name, var value) in turn)
            message[name] = value?.DeepClone();
        return message;
    }

    private static string Text(DataPlace place, string path, JsonObject turn, string field) =>
        turn[field] is JsonValue value && value.GetValueKind() == JsonValueKind.String
            ? value.GetValue<string>()
            : throw place.Error($"{path}.{field}", $"the value is {FieldValue.Kind(turn[field])}; expected a string");

    private static JsonArray Calls(DataPlace place, string path, string text)
    {
        var parsed = FieldValue.Parse(place, path, text);
        var calls = new JsonArray();
        foreach (var call in parsed as JsonArray ?? [parsed?.DeepClone()])
        {
            if (call is not JsonObject || call["name"] is null)
                throw place.Error(path, $"a function call is an object with name and arguments");
            calls.Add(new JsonObject { ["type"] = "function", ["function"] = call.DeepClone() });
        }

        return calls;
    }
}
