using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrtPeft.Training.Data.Forms;

/// <summary>Values that stand in a row as the text of their JSON.</summary>
internal static class FieldValue
{
    /// <exception cref="TrainingDataException">The text is not JSON.</exception>
    public static JsonNode? Parse(DataPlace place, string field, string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException error)
        {
            throw place.Error(field, $"the text is not JSON; expected an array or an object", error);
        }
    }

    /// <summary>A field as text, taken out of its object; null where it is absent.</summary>
    /// <exception cref="TrainingDataException">It is something else.</exception>
    public static string? Take(DataPlace place, JsonObject owner, string field)
    {
        var value = owner[field];
        owner.Remove(field);
        return value is null || value.GetValueKind() == JsonValueKind.String
            ? value?.GetValue<string>()
            : throw place.Error(field, $"the value is {Kind(value)}; expected a string");
    }

    public static string Kind(JsonNode? value) => value?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "null",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        _ => "a boolean",
    };
}
