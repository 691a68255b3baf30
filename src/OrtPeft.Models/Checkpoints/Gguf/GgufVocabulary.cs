using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>A <c>tokenizer.json</c> in GGUF's terms: byte-level BPE, or SentencePiece's BPE with bytes to fall back on.</summary>
internal static class GgufVocabulary
{
    private const string FileName = "tokenizer.json";
    private const int Normal = 1;
    private const int Unknown = 2;
    private const int Control = 3;
    private const int UserDefined = 4;
    private const int Unused = 5;
    private const int Byte = 6;

    /// <summary>Adds tokens, their kinds, and merges or scores.</summary>
    /// <param name="writer">Receives them.</param>
    /// <param name="folder">Holds the file.</param>
    /// <param name="rows">Rows of the embedding; spare ones get tokens that no text has.</param>
    /// <returns>The texts that llama.cpp reads otherwise; null where there are none. Texts that are not in NFC are not
    /// counted.</returns>
    /// <exception cref="ModelConfigException">The tokenizer is of a kind that llama.cpp does not have, as far as is known
    /// here.</exception>
    public static string? Add(GgufWriter writer, string folder, int rows)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new ModelConfigException($"{folder} has no {FileName}, which a GGUF file's tokens are made of; put it beside the model.");
        var json = Parsed(path);
        var model = json["model"];
        if ((string?)model?["type"] != "BPE" || model["vocab"] is not JsonObject vocabulary)
            throw Refused(path, $"its model is {(string?)model?["type"] ?? "missing"}");
        var isSentencePiece = (bool?)model["byte_fallback"] == true;
        var splits = isSentencePiece ? null : GgufSplits.NameFor(json["pre_tokenizer"], (bool?)model["ignore_merges"] == true)
            ?? throw Refused(path, "its pre_tokenizer is none of those whose name in llama.cpp is known here");
        // llama.cpp leaves NFC out.
        if (!isSentencePiece && Steps(json["normalizer"]).FirstOrDefault(static s => (string?)s["type"] != "NFC") is { } step)
            throw Refused(path, $"its normalizer has a step {step.ToJsonString()}, which llama.cpp does not take");
        var spaces = isSentencePiece ? GgufSpaces.Of(json, why => Refused(path, why)) : default;
        var tokens = new string?[rows];
        var kinds = Enumerable.Repeat(Normal, rows).ToArray();
        foreach (var (token, id) in vocabulary)
            Put(token, (int)id!);
        foreach (var added in (json["added_tokens"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var id = (int)added["id"]!;
            Put((string)added["content"]!, id);
            kinds[id] = (bool?)added["special"] == true ? Control : UserDefined;
        }

        var merges = Merges(model["merges"] as JsonArray ?? []);
        writer.Add("tokenizer.ggml.model", isSentencePiece ? "llama" : "gpt2");
        writer.Add("tokenizer.ggml.pre", splits ?? "default");
        for (var id = 0; id < rows; id++)
        {
            if (tokens[id] is null)
                (tokens[id], kinds[id]) = ($"[PAD{id}]", Unused);
            else if (isSentencePiece && kinds[id] == Normal && IsByte(tokens[id]!))
                kinds[id] = Byte;
            if (isSentencePiece && tokens[id] == (string?)model["unk_token"])
                kinds[id] = Unknown;
        }

        writer.Add("tokenizer.ggml.tokens", tokens!);
        if (isSentencePiece)
        {
            writer.Add("tokenizer.ggml.scores", Scores(tokens!, merges));
            writer.Add("tokenizer.ggml.add_space_prefix", spaces.HasPrefix);
        }

        writer.Add("tokenizer.ggml.token_type", kinds);
        if (!isSentencePiece)
            writer.Add("tokenizer.ggml.merges", merges.Select(static m => $"{m.Left} {m.Right}").ToArray());
        return spaces.Note;

        void Put(string token, int id)
        {
            if (id < 0 || id >= rows)
                throw Refused(path, $"the token '{token}' has the id {id}, and the model has {rows}");
            tokens[id] = token;
        }
    }

    /// <summary>A part's steps, one after the other.</summary>
    public static IEnumerable<JsonObject> Steps(JsonNode? part) => part is not JsonObject own ? []
        : (own["normalizers"] ?? own["pretokenizers"]) is JsonArray steps ? steps.SelectMany(Steps)
        : [own];

    private static JsonObject Parsed(string path)
    {
        try
        {
            return JsonNode.Parse(InputFile.ReadAllBytes(path)) as JsonObject ?? throw Refused(path, "it is no object");
        }
        catch (JsonException e)
        {
            throw new ModelConfigException($"{path}: is no JSON ({e.Message}); fetch it again.", e);
        }
    }

    private static (string Left, string Right)[] Merges(JsonArray merges) =>
    [
        .. merges.Select(static m => m is JsonArray pair
            ? ((string)pair[0]!, (string)pair[1]!)
            : ((string)m!).Split(' ') is [var left, var right] ? (left, right) : ((string)m!, "")),
    ];

    /// <summary>The tokens' scores: the earlier the merge that makes a token, the higher.</summary>
    private static float[] Scores(string[] tokens, (string Left, string Right)[] merges)
    {
        var ranks = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (rank, (left, right)) in merges.Index())
            ranks.TryAdd(left + right, rank);
        return [.. tokens.Select(t => ranks.TryGetValue(t, out var rank) ? -rank : -(float)merges.Length)];
    }

    private static bool IsByte(string token) =>
        token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[^1] == '>';

    private static ModelConfigException Refused(string path, string why) =>
        new($"{path}: {why}; a GGUF file of it would read texts otherwise. Convert it with llama.cpp's convert_hf_to_gguf.py.");
}
