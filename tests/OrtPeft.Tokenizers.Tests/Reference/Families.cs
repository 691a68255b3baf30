using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrtPeft.Tokenizers.Tests.Reference;

/// <summary>Small tokenizers of many families with what their own libraries make of 243 strings.</summary>
public sealed class Families : IDisposable
{
    private static readonly Lazy<JsonObject> Read = new(static () =>
    {
        var file = Path.Combine(AppContext.BaseDirectory, "Data", "families.json.br");
        using var packed = new BrotliStream(File.OpenRead(file), CompressionMode.Decompress);
        return JsonNode.Parse(packed)!.AsObject();
    });

    private readonly List<TempFolder> _folders = [];

    public static IEnumerable<string> Names => Kinds.Select(static kind => (string)kind["name"]!);

    public static string[] Strings { get; } = Read.Value["strings"].Deserialize<string[]>()!;

    private static IEnumerable<JsonObject> Kinds => Read.Value["kinds"]!.AsArray().Select(static k => k!.AsObject());

    public void Dispose() => _folders.ForEach(static folder => folder.Dispose());

    /// <summary>Whether SentencePiece alone was asked, which sees no special tokens in text.</summary>
    public static bool IsPlain(string name) => (bool)Kind(name)["plain"]!;

    /// <summary>The results of one kind, or null where there are none: lists in the order of the strings.</summary>
    public static T[]? Golden<T>(string name, string field) => Kind(name)[field]?.Deserialize<T[]>();

    public ITokenizer Load(string name)
    {
        var folder = new TempFolder();
        _folders.Add(folder);
        foreach (var (file, content) in Kind(name)["files"]!.AsObject())
        {
            if (content!["text"] is { } text)
                folder.Write(file, (string)text!);
            else
                folder.Write(file, Convert.FromBase64String((string)content["base64"]!));
        }

        return TokenizerFolder.Load(folder.Path);
    }

    private static JsonObject Kind(string name) => Kinds.Single(kind => (string)kind["name"]! == name);
}
