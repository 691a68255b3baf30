using System.Text.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>
/// Reads <c>tokenizer.json</c> of the Hugging Face tokenizers library. Parts that would change how text is encoded
/// and are neither GPT-2's nor Llama 3's nor Qwen2's are refused; truncation and padding do not concern plain encoding,
/// and of the post-processor only the tokens before and behind every text do.
/// </summary>
internal static class TokenizerJsonReader
{
    private const string Supported = "only byte-level BPE as in GPT-2, Llama 3, SmolLM2 and Qwen2 is supported";

    public static BpeModel Read(string file, TokenizerConfig config) =>
        TextFile.ReadJson(file, root => Read(root, config));

    private static BpeModel Read(JsonField root, TokenizerConfig config)
    {
        JsonField model = root.Get("model");
        CheckModel(model);
        bool composes = Composes(root.Find("normalizer"));
        CheckDecoder(root.Find("decoder"));
        PreTokenizer preTokenizer = PreTokenizerReader.Read(root.Find("pre_tokenizer"), root.Place, Supported);

        var builder = new BpeModelBuilder();
        VocabularyReader.Read(model.Get("vocab"), builder);
        ReadMerges(model.Get("merges"), builder);
        foreach (JsonField added in root.Find("added_tokens")?.Items() ?? [])
            builder.AddAddedToken(AddedTokenReader.Read(added, added.Get("id").AsInt32()), added.Place);

        if (composes && builder.HasNormalizedToken)
            throw root.Place.Error("the normalizer NFC beside added tokens that are \"normalized\" is not supported");

        var settings = new BpeSettings
        {
            UnknownId = FindUnknown(model.Find("unk_token"), builder),
            FusesUnknown = model.Find("fuse_unk")?.AsBoolean() ?? false,
            AddsPrefixSpace = preTokenizer.AddsPrefixSpace,
            Pattern = preTokenizer.Pattern,
            TakesWholeWords = model.Find("ignore_merges")?.AsBoolean() ?? false,
            Composes = composes,
        };
        (int? start, int? end) = PostProcessorReader.Read(root.Find("post_processor"), builder);
        return builder.Build(settings, config.FindEndOfText(builder, end), start, end);
    }

    private static void CheckModel(JsonField model)
    {
        // Files of early versions have no type; what they hold shows in the fields.
        if (model.Find("type") is { } type && type.AsString() != "BPE")
            throw type.Place.Error($"{type.Shown()} is not supported; {Supported}");
        const string Fallback = "true, as SentencePiece's tokenizers have it, is not supported";
        if (model.Find("byte_fallback") is { } fallback && fallback.AsBoolean())
            throw fallback.Place.Error($"{Fallback}; {Supported}, and rows of input_ids need no tokenizer");
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

    /// <summary>Whether the normalizer is NFC, as Qwen2's; there may be none.</summary>
    private static bool Composes(JsonField? normalizer)
    {
        if (normalizer is not { } field)
            return false;
        if (TypeOf(field) == "NFC")
            return true;
        bool isEmptySequence = TypeOf(field) == "Sequence" && !field.Get("normalizers").Items().Any();
        return isEmptySequence
            ? false
            : throw field.Place.Error(
                $"{field.Get("type").Shown()} is not supported; {Supported}, without a normalizer or with NFC");
    }

    private static void CheckDecoder(JsonField? decoder)
    {
        if (decoder is { } field && TypeOf(field) != "ByteLevel")
            throw field.Place.Error($"{field.Get("type").Shown()} is not supported; {Supported}");
    }

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
