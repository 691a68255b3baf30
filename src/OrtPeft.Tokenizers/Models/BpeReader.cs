using System.Text.Json;
using OrtPeft.Tokenizers.Json;
using static OrtPeft.Tokenizers.TokenizerFormatException;

namespace OrtPeft.Tokenizers.Models;

/// <summary>Reads the BPE of <c>tokenizer.json</c> in its general form.</summary>
internal static class BpeReader
{
    public static CharacterBpe Read(JsonField model, JsonField? added)
    {
        RefuseDropout(model);
        var vocabulary = ModelReader.ReadVocabulary(model);
        var symbols = new BpeSymbols
        {
            Unknown = FindUnknown(model.Find("unk_token"), vocabulary, added),
            FusesUnknown = model.Find("fuse_unk")?.AsBoolean() ?? false,
            FallsBackToBytes = model.Find("byte_fallback")?.AsBoolean() ?? false,
            TakesWholeWords = model.Find("ignore_merges")?.AsBoolean() ?? false,
            Prefix = model.Find("continuing_subword_prefix")?.AsString() ?? "",
            Suffix = model.Find("end_of_word_suffix")?.AsString() ?? "",
        };
        var merges = new List<MergeRule>();
        foreach (var (left, right, place) in MergesReader.Read(model.Get("merges")))
            merges.Add(ReadMerge(left, right, symbols.Prefix, vocabulary, place));
        return new CharacterBpe(vocabulary, new MergeTable(merges), symbols);
    }

    /// <summary>The right side loses the prefix of what goes on in a word.</summary>
    private static MergeRule ReadMerge(
        string left, string right, string prefix, Vocabulary vocabulary, SourcePlace place)
    {
        if (right.Length < prefix.Length)
            throw place.Error($"{Quote(right)} is shorter than continuing_subword_prefix; save the tokenizer again");
        return new MergeRule(Id(left), Id(right), Id(left + right[prefix.Length..]));

        int Id(string token) => vocabulary.Find(token) ?? throw place.Error(
            $"{Quote(token)} is not in the vocabulary; every merge joins two tokens into a third");
    }

    private static void RefuseDropout(JsonField model)
    {
        var drops = model.Find("dropout") is { } dropout
            && !(dropout.Value.ValueKind == JsonValueKind.Number && dropout.Value.GetDouble() == 0);
        if (drops)
            throw model.Place.Error("dropout is not supported, encoding is deterministic; set it to null");
    }

    private static int? FindUnknown(JsonField? field, Vocabulary vocabulary, JsonField? added)
    {
        if (field is not { } unknown)
            return null;
        var token = unknown.AsString();
        int? listed = added?.Items().FirstOrDefault(t => t.Get("content").AsString() == token) is { Place.File: not null } t
            ? t.Get("id").AsInt32()
            : null;
        return vocabulary.Find(token) ?? listed
            ?? throw unknown.Place.Error($"{unknown.Shown()} is not in the vocabulary; name one of its tokens or null");
    }
}
