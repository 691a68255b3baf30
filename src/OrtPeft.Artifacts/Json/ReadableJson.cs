using System.Text.Encodings.Web;
using System.Text.Json;

namespace OrtPeft.Artifacts.Json;

/// <summary><see cref="ManifestJson"/> for people: one value a line, no needless escapes.</summary>
internal static class ReadableJson
{
    public static ManifestJson Context { get; } = new(new JsonSerializerOptions(ManifestJson.Default.Options)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
