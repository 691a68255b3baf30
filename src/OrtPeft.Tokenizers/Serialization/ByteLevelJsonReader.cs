using OrtPeft.Tokenizers.Json;
using OrtPeft.Tokenizers.Models;
using OrtPeft.Tokenizers.PostProcessors;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>
/// Reads the <c>tokenizer.json</c> of a byte-level BPE that <see cref="ByteLevelBpe"/> encodes exactly as the library does,
/// as of GPT-2, Llama 3, SmolLM2 and Qwen2.
/// </summary>
internal static class ByteLevelJsonReader
{
    /// <summary>Whether a file is of this kind; what is malformed is not.</summary>
    public static bool Fits(JsonField root)
    {
        var model = root.Get("model");
        var isByteLevel = IsPlainBpe(model) && ByteLevelWords.Find(root.Find("pre_tokenizer")) is not null
            && root.Find("decoder") is { } decoder && decoder.TypeName == "ByteLevel";
        if (!isByteLevel || root.Find("normalizer") is not { } normalizer)
            return isByteLevel;
        var isAnyNormalized = (root.Find("added_tokens")?.Items() ?? [])
            .Any(static token => token.Find("normalized")?.AsBoolean() ?? false);
        return normalizer.TypeName == "NFC" && !isAnyNormalized;
    }

    public static ByteLevelBpe Read(JsonField root, TokenizerConfig config)
    {
        var model = root.Get("model");
        var (addsPrefixSpace, pattern) = ByteLevelWords.Find(root.Find("pre_tokenizer"))!.Value;
        var builder = new BpeModelBuilder();
        VocabularyReader.Read(model.Get("vocab"), builder);
        foreach (var (left, right, place) in MergesReader.Read(model.Get("merges")))
            builder.AddMerge(left, right, place);
        foreach (var added in root.Find("added_tokens")?.Items() ?? [])
            builder.AddAddedToken(AddedTokenReader.Read(added, added.Get("id").AsInt32()), added.Place);

        var settings = new BpeSettings
        {
            UnknownId = FindUnknown(model.Find("unk_token"), builder),
            FusesUnknown = model.Find("fuse_unk")?.AsBoolean() ?? false,
            AddsPrefixSpace = addsPrefixSpace,
            Pattern = pattern,
            TakesWholeWords = model.Find("ignore_merges")?.AsBoolean() ?? false,
            Composes = root.Find("normalizer") is not null,
        };
        var frame = root.Find("post_processor") is { } field ? TextFrameReader.Read(field, builder.Find) : null;
        return new ByteLevelBpe(builder.Build(settings, config.FindEndOfText(builder.Find, frame), frame));
    }

    private static bool IsPlainBpe(JsonField model)
    {
        var isBpe = model.Find("type") is not { } type ? model.Find("merges") is not null : type.AsString() == "BPE";
        var hasAffix = IsText(model, "continuing_subword_prefix") || IsText(model, "end_of_word_suffix");
        return isBpe && !hasAffix && model.Find("dropout") is null && !(model.Find("byte_fallback")?.AsBoolean() ?? false);
    }

    private static bool IsText(JsonField model, string name) => model.Find(name) is { } field && field.AsString().Length > 0;

    private static int? FindUnknown(JsonField? field, BpeModelBuilder builder)
    {
        if (field is not { } unknown)
            return null;
        return builder.Find(unknown.AsString())
            ?? throw unknown.Place.Error($"{unknown.Shown()} is not in the vocabulary; name one of its tokens or null");
    }
}
