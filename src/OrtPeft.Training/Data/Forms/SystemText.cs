using System.Text.Json.Nodes;

namespace OrtPeft.Training.Data.Forms;

/// <summary>A <c>system</c> text that stands beside the turns.</summary>
internal static class SystemText
{
    /// <summary>Takes it out of the row and makes it the first turn.</summary>
    /// <exception cref="TrainingDataException">The turns begin with one of their own.</exception>
    public static void PutFirst(DataPlace place, JsonObject row, JsonArray messages)
    {
        if (FieldValue.Take(place, row, "system") is not { Length: > 0 } text)
            return;
        if (messages is [JsonObject first, ..] && first["role"]?.ToString() == "system")
            throw place.Error("system", $"the turns have a system text of their own; leave one out");
        messages.Insert(0, new JsonObject { ["role"] = "system", ["content"] = text });
    }
}
