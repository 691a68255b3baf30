using System.Text.Json;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Training.Data.Chat;

/// <summary>A row that holds a conversation: the turns, and how many of them are the prompt of a completion.</summary>
/// <param name="Place">Where it stands.</param>
/// <param name="Field">The field that holds the turns, for messages.</param>
/// <param name="Messages">All turns.</param>
/// <param name="PromptLength">How many turns come before the completion; null for a row without one.</param>
/// <param name="Tools">The tools; null where none are given.</param>
/// <param name="Variables">What the row hands to the template besides.</param>
internal sealed record ChatRow(
    DataPlace Place,
    string Field,
    IReadOnlyList<JsonElement> Messages,
    int? PromptLength,
    JsonElement? Tools,
    IReadOnlyDictionary<string, JsonElement> Variables)
{
    private const string Assistant = "assistant";

    /// <summary>Whether the row holds a conversation.</summary>
    public static bool IsOne(JsonRow row) =>
        row.Has("messages") || row.Element("prompt")?.ValueKind == JsonValueKind.Array;

    /// <summary>A row that is one as a conversation.</summary>
    public static ChatRow Of(JsonRow row)
    {
        if (row.Has("messages"))
            return Of(row, "messages", [.. Turns(row, "messages")], promptLength: null);
        JsonElement[] prompt = [.. Turns(row, "prompt")];
        return Of(row, "completion", [.. prompt, .. Turns(row, "completion")], prompt.Length);
    }

    /// <summary>The first turns as a conversation of their own.</summary>
    public ChatConversation First(int count) => new()
    {
        Messages = JsonSerializer.SerializeToElement(Messages.Take(count)),
        Tools = Tools,
        Variables = Variables,
    };

    /// <summary>The places of the turns that the assistant speaks.</summary>
    public IEnumerable<int> AssistantTurns =>
        Enumerable.Range(PromptLength ?? 0, Messages.Count - (PromptLength ?? 0)).Where(IsAssistant);

    /// <summary>OpenAI's <c>weight</c>: 0 keeps a turn from being learned, 1 is as none.</summary>
    public bool HasWeightZero(int turn)
    {
        if (!Messages[turn].TryGetProperty("weight", out var weight) || weight.ValueKind == JsonValueKind.Null)
            return false;
        var isNumber = weight.ValueKind == JsonValueKind.Number;
        var value = isNumber ? weight.GetDouble() : double.NaN;
        return value is 0 or 1
            ? value == 0
            : throw Place.Error($"{Field}[{turn}].weight", $"the weight is {weight.GetRawText()}; expected 0 or 1");
    }

    private bool IsAssistant(int turn) =>
        Messages[turn].TryGetProperty("role", out var role) && role.ValueKind == JsonValueKind.String
        && role.ValueEquals(Assistant);

    private static ChatRow Of(JsonRow row, string field, IReadOnlyList<JsonElement> messages, int? promptLength) =>
        new(row.Place, field, messages, promptLength, ToolsOf(row), VariablesOf(row));

    private static IEnumerable<JsonElement> Turns(JsonRow row, string field) =>
        row.Objects(field).Select(static turn => turn.Element);

    /// <summary>An array, or the text of one: tables cannot hold objects of different fields.</summary>
    private static JsonElement? ToolsOf(JsonRow row)
    {
        if (row.Element("tools") is not { } tools)
            return null;
        var array = tools.ValueKind == JsonValueKind.String ? Parsed(row, tools.GetString()!) : tools;
        return array.ValueKind is JsonValueKind.Array or JsonValueKind.Null
            ? array.ValueKind == JsonValueKind.Null ? null : array
            : throw row.Place.Error("tools", $"the value is not an array; expected an array of JSON schemas");
    }

    private static JsonElement Parsed(JsonRow row, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException error)
        {
            throw row.Place.Error("tools", $"the text is not JSON; expected an array of JSON schemas", error);
        }
    }

    private static Dictionary<string, JsonElement> VariablesOf(JsonRow row)
    {
        var variables = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        if (row.Element("documents") is { } documents)
            variables["documents"] = documents;
        if (row.Element("chat_template_kwargs") is not { } given)
            return variables;
        if (given.ValueKind != JsonValueKind.Object)
            throw row.Place.Error("chat_template_kwargs", $"the value is not an object; expected variables by name");
        foreach (var variable in given.EnumerateObject())
            variables[variable.Name] = variable.Value;
        return variables;
    }
}
