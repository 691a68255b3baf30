using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Configuration;

/// <summary>How configuration files are read, and how they write their values.</summary>
internal static class ConfigJson
{
    private static readonly JsonDocumentOptions NoDuplicates = new() { AllowDuplicateProperties = false };

    /// <summary>Reads a file's object; null where it holds something else.</summary>
    /// <exception cref="JsonException">It is not JSON, has a field twice or a string that is not Unicode.</exception>
    public static JsonObject? Read(string file)
    {
        var bytes = InputFile.ReadAllBytes(file);
        var mark = bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
        JsonText.Check(bytes.AsSpan(mark));
        return JsonNode.Parse(bytes.AsSpan(mark), documentOptions: NoDuplicates) as JsonObject;
    }

    /// <summary>A number; HF PEFT expects whole ones, such as alphas, without a decimal point.</summary>
    public static JsonNode Number(double number) =>
        number == Math.Floor(number) && Math.Abs(number) < int.MaxValue ? (int)number : number;

    /// <summary>A list of texts; null where there is none.</summary>
    public static JsonArray? Texts(IEnumerable<string>? texts) =>
        texts is null ? null : new JsonArray([.. texts.Select(static t => (JsonNode)t)]);

    /// <summary>Numbers by name, in order.</summary>
    public static JsonObject Numbers(IEnumerable<KeyValuePair<string, double>> entries) =>
        new(entries.Select(static e => KeyValuePair.Create(e.Key, (JsonNode?)Number(e.Value))));

    /// <summary>Whole numbers by name, in order.</summary>
    public static JsonObject Numbers(IEnumerable<KeyValuePair<string, int>> entries) =>
        new(entries.Select(static e => KeyValuePair.Create(e.Key, (JsonNode?)e.Value)));
}
