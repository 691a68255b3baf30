using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace OrtPeft.Training.Data.Forms;

/// <summary>
/// Rows of a request and its answer, such as Alpaca's: an <c>input</c> follows its instruction after a blank line,
/// <c>history</c> holds pairs of earlier requests and answers, and <c>system</c> comes first.
/// </summary>
internal static class Instructions
{
    public static JsonArray Messages(DataPlace place, ImmutableArray<string> fields, JsonObject row)
    {
        var request = FieldValue.Take(place, row, fields[0])!; // the form was told by its fields
        var answer = FieldValue.Take(place, row, fields[1])!;
        if (fields[0] == "instruction" && FieldValue.Take(place, row, "input") is { Length: > 0 } input)
            request = $"{request}\n\n{input}";
        var messages = new JsonArray();
        foreach ((var i, var pair) in History(place, row).Index())
        {
            var isPair = pair is JsonArray { Count: 2 } both && both.All(static p => p is JsonValue);
            if (!isPair)
                throw place.Error($"history[{i}]", $"expected an array of a request and its answer");
            messages.Add(Turn("user", pair![0]!.ToString()));
            messages.Add(Turn("assistant", pair[1]!.ToString()));
        }

        messages.Add(Turn("user", request));
        messages.Add(Turn("assistant", answer));
        SystemText.PutFirst(place, row, messages);
        return messages;
    }

    private static JsonArray History(DataPlace place, JsonObject row)
    {
        var history = row["history"];
        row.Remove("history");
        return history as JsonArray ?? (history is null
            ? []
            : throw place.Error("history", $"the value is {FieldValue.Kind(history)}; expected an array of pairs"));
    }

    private static JsonObject Turn(string role, string content) => new() { ["role"] = role, ["content"] = content };
}
