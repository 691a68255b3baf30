using System.Text.Json.Nodes;

namespace OrtPeft.Tokenizers.Tests.Reference;

/// <summary>A valid <c>tokenizer.json</c> of 256 bytes and three merges, for tests to change one thing in.</summary>
internal static class TinyTokenizer
{
    /// <summary>Ids: bytes 0..255 in GPT-2's order, "he" 256, "ll" 257, "hell" 258.</summary>
    public static JsonObject Document()
    {
        var vocabulary = new JsonObject();
        foreach (var b in ByteAlphabet.InIdOrder)
            vocabulary.Add(ByteAlphabet.CharOf(b).ToString(), vocabulary.Count);
        foreach (var token in (string[])["he", "ll", "hell"])
            vocabulary.Add(token, vocabulary.Count);
        return new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray(),
            ["normalizer"] = null,
            ["pre_tokenizer"] = ByteLevel(),
            ["decoder"] = ByteLevel(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray("h e", "l l", "he ll"),
            },
        };
    }

    public static JsonObject ByteLevel() => new() { ["type"] = "ByteLevel", ["add_prefix_space"] = false };

    public static JsonObject AddedToken(string content, int id, params string[] flags)
    {
        var token = new JsonObject { ["id"] = id, ["content"] = content };
        foreach (var flag in flags)
            token[flag] = true;
        return token;
    }

    public static ByteLevelBpe Load(Action<JsonObject> change)
    {
        var document = Document();
        change(document);
        return Load(document.ToJsonString());
    }

    public static ByteLevelBpe Load(string tokenizerJson)
    {
        using var folder = new TempFolder();
        folder.Write("tokenizer.json", tokenizerJson);
        return (ByteLevelBpe)TokenizerFolder.Load(folder.Path);
    }

    public static ByteLevelBpe WithAddedTokens(params JsonObject[] tokens) =>
        Load(document => document["added_tokens"] = new JsonArray(tokens));
}
