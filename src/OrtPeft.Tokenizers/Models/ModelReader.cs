using System.Collections.Frozen;
using System.Text.Json;
using OrtPeft.Tokenizers.Json;

namespace OrtPeft.Tokenizers.Models;

/// <summary>The models of <c>tokenizer.json</c>: a row each.</summary>
internal static class ModelReader
{
    private static readonly FrozenDictionary<string, Func<JsonField, JsonField?, ITokenModel>> Rows =
        new Dictionary<string, Func<JsonField, JsonField?, ITokenModel>>
        {
            ["BPE"] = BpeReader.Read,
            ["Unigram"] = static (field, _) => ReadUnigram(field),
            ["WordLevel"] = static (field, _) => new WordLevelModel(
                ReadVocabulary(field), field.Get("unk_token").AsString(), field.Place),
            ["WordPiece"] = static (field, _) => ReadWordPiece(field),
        }.ToFrozenDictionary();

    /// <param name="field">The model; files of early versions have no type.</param>
    /// <param name="added">The added tokens, one of which may be the unknown one.</param>
    /// <exception cref="TokenizerFormatException">The model is not known, or a field of it is wrong.</exception>
    public static ITokenModel Read(JsonField field, JsonField? added)
    {
        var row = field.Find("type") is null
            ? Rows[TypeOf(field)]
            : field.Component(Rows, "model");
        return row(field, added);
    }

    public static Vocabulary ReadVocabulary(JsonField model)
    {
        var vocabulary = model.Get("vocab");
        var tokens = new Dictionary<string, int>(StringComparer.Ordinal);
        var owners = new Dictionary<int, string>();
        foreach (var (token, id) in vocabulary.Members())
        {
            var shown = TokenizerFormatException.Quote(token);
            if (!tokens.TryAdd(token, id.AsInt32()))
                throw vocabulary.Place.Error($"{shown} is listed twice; keep one of the entries");
            if (!owners.TryAdd(tokens[token], token))
            {
                var other = TokenizerFormatException.Quote(owners[tokens[token]]);
                throw vocabulary.Place.Error($"{shown} and {other} share id {tokens[token]}; give each token its own");
            }
        }

        return Vocabulary.Of(tokens.Select(static t => (t.Key, t.Value)), vocabulary.Place);
    }

    private static string TypeOf(JsonField model)
    {
        if (model.Find("merges") is not null)
            return "BPE";
        if (model.Find("vocab") is { Value.ValueKind: JsonValueKind.Array })
            return "Unigram";
        return model.Find("continuing_subword_prefix") is not null ? "WordPiece" : "WordLevel";
    }

    private static WordPieceModel ReadWordPiece(JsonField field) => new(ReadVocabulary(field), field.Place)
    {
        Unknown = field.Find("unk_token")?.AsString() ?? "[UNK]",
        Prefix = field.Find("continuing_subword_prefix")?.AsString() ?? "##",
        LongestWord = field.Find("max_input_chars_per_word")?.AsCount() ?? 100,
    };

    private static UnigramModel ReadUnigram(JsonField field)
    {
        var vocabulary = field.Get("vocab");
        var tokens = new List<(string, int)>();
        var scores = new List<double>();
        foreach (var entry in vocabulary.Items())
        {
            JsonField[] parts = [.. entry.Items()];
            if (parts.Length != 2)
                throw entry.Place.Error($"{entry.Shown()} is not a token with its score");
            tokens.Add((parts[0].AsString(), tokens.Count));
            scores.Add(parts[1].AsDouble());
        }

        var known = Vocabulary.Of(tokens, vocabulary.Place);
        var unknown = field.Find("unk_id")?.AsInt32();
        if (unknown is not null && (uint)unknown >= (uint)scores.Count)
            throw field.Place.Error($"unk_id is {unknown}; the vocabulary has ids 0..{scores.Count - 1}");
        var settings = new UnigramSettings
        {
            Unknown = unknown,
            FallsBackToBytes = field.Find("byte_fallback")?.AsBoolean() ?? false,
            LowestScore = scores.Min(),
        };
        return new UnigramModel(known, [.. scores], settings, field.Place);
    }
}
