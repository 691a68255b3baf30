using System.Text.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>
/// Reads <c>tokenizer.json</c> of the Hugging Face tokenizers library. Parts that would change how text is encoded
/// and are not GPT-2's are refused; truncation, padding and the post-processor do not concern plain encoding.
/// </summary>
internal static class TokenizerJsonReader
{
    private const string Supported = "only byte-level BPE as GPT-2 uses it is supported";

    public static BpeModel Read(string file, TokenizerConfig config) =>
        TextFile.ReadJson(file, root => Read(root, config));

    private static BpeModel Read(JsonField root, TokenizerConfig config)
    {
        JsonField model = root.Get("model");
        CheckModel(model);
        CheckNormalizer(root.Find("normalizer"));
        CheckDecoder(root.Find("decoder"));
        JsonField byteLevel = FindByteLevel(root.Find("pre_tokenizer"), root.Place);

        var builder = new BpeModelBuilder();
        VocabularyReader.Read(model.Get("vocab"), builder);
        ReadMerges(model.Get("merges"), builder);
        foreach (JsonField added in root.Find("added_tokens")?.Items() ?? [])
            builder.AddAddedToken(AddedTokenReader.Read(added, added.Get("id").AsInt32()), added.Place);

        var settings = new BpeSettings
        {
            UnknownId = FindUnknown(model.Find("unk_token"), builder),
            FusesUnknown = model.Find("fuse_unk")?.AsBoolean() ?? false,
            AddsPrefixSpace = byteLevel.Find("add_prefix_space")?.AsBoolean() ?? true,
            SplitsWords = byteLevel.Find("use_regex")?.AsBoolean() ?? true,
        };
        return builder.Build(settings, config.FindEndOfText(builder));
    }

    private static void CheckModel(JsonField model)
    {
        // Files of early versions have no type; what they hold shows in the fields.
        if (model.Find("type") is { } type && type.AsString() != "BPE")
            throw type.Place.Error($"{type.Shown()} is not supported; {Supported}");
        foreach (string flag in (string[])["byte_fallback", "ignore_merges"])
        {
            if (model.Find(flag) is { } field && field.AsBoolean())
                throw field.Place.Error($"true is not supported; {Supported}");
        }
        foreach (string affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (model.Find(affix) is { } field && field.AsString().Length > 0)
                throw field.Place.Error($"{field.Shown()} is not supported; {Supported}");
        }
        bool drops = model.Find("dropout") is { } dropout
            && !(dropout.Value.ValueKind == JsonValueKind.Number && dropout.Value.GetDouble() == 0);
        if (drops)
            throw model.Place.Error("dropout is not supported, encoding is deterministic; set it to null");
    }

    private static void CheckNormalizer(JsonField? normalizer)
    {
        if (normalizer is not { } field)
            return;
        bool isEmptySequence = TypeOf(field) == "Sequence" && !field.Get("normalizers").Items().Any();
        if (!isEmptySequence)
            throw field.Place.Error($"{field.Get("type").Shown()} is not supported; {Supported}, without a normalizer");
    }

    private static void CheckDecoder(JsonField? decoder)
    {
        if (decoder is { } field && TypeOf(field) != "ByteLevel")
            throw Unsupported(field);
    }

    /// <summary>The ByteLevel pre-tokenizer, alone or as the one member of nested sequences.</summary>
    private static JsonField FindByteLevel(JsonField? preTokenizer, SourcePlace root)
    {
        if (preTokenizer is not { } field)
            throw root.Error($"\"pre_tokenizer\" is missing; {Supported}");
        if (TypeOf(field) == "ByteLevel")
            return field;
        if (TypeOf(field) != "Sequence")
            throw Unsupported(field);
        JsonField[] members = [.. field.Get("pretokenizers").Items()];
        return members.Length switch
        {
            0 => throw field.Place.Error($"the sequence is empty; {Supported}"),
            1 => FindByteLevel(members[0], root),
            _ => throw Unsupported(members.FirstOrDefault(static m => TypeOf(m) != "ByteLevel", members[1])),
        };
    }

    private static TokenizerFormatException Unsupported(JsonField field) =>
        field.Place.Error($"{field.Get("type").Shown()} is not supported; {Supported}");

    private static void ReadMerges(JsonField merges, BpeModelBuilder builder)
    {
        foreach (JsonField merge in merges.Items())
        {
            (string left, string right) = merge.IsString
                ? MergesFileReader.SplitPair(merge.AsString(), merge.Place)
                : ReadPair(merge);
            builder.AddMerge(left, right, merge.Place);
        }
    }

    private static (string Left, string Right) ReadPair(JsonField merge)
    {
        string[] parts = [.. merge.Items().Select(static part => part.AsString())];
        return parts is [var left, var right]
            ? (left, right)
            : throw merge.Place.Error($"{merge.Shown()} has {parts.Length} entries; a merge joins two tokens");
    }

    private static int? FindUnknown(JsonField? field, BpeModelBuilder builder)
    {
        if (field is not { } unknown)
            return null;
        return builder.Find(unknown.AsString())
            ?? throw unknown.Place.Error($"{unknown.Shown()} is not in the vocabulary; name one of its tokens or null");
    }

    private static string TypeOf(JsonField field) => field.Get("type").AsString();
}
