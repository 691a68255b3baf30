using System.Text.Json;

namespace OrtPeft.Models.Checkpoints;

/// <summary>The name by which HF's libraries load a model.</summary>
internal static class SourceName
{
    /// <summary>The <c>_name_or_path</c> that a folder's description notes, or null when it notes none.</summary>
    public static string? NotedIn(string folder)
    {
        var path = Path.Combine(folder, ModelFamilies.ConfigFileName);
        if (!File.Exists(path))
            return null;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement is { ValueKind: JsonValueKind.Object } fields
                && fields.TryGetProperty("_name_or_path", out var name)
                && name is { ValueKind: JsonValueKind.String } && name.GetString() is { Length: > 0 } text
                ? text
                : null;
        }
        catch (JsonException)
        {
            return null; // whoever needs the description says what is wrong with it
        }
    }
}
