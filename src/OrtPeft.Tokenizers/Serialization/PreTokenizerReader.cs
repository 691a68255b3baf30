namespace OrtPeft.Tokenizers.Serialization;

/// <summary>
/// Reads the pre-tokenizer: ByteLevel alone, as GPT-2's; Digits before it, as SmolLM2's; or a Split by a known pattern
/// before a ByteLevel that does not split, as Llama 3's and Qwen2's.
/// </summary>
internal static class PreTokenizerReader
{
    private const string ByteLevel = "ByteLevel";

    public static PreTokenizer Read(JsonField? preTokenizer, SourcePlace root, string supported)
    {
        if (preTokenizer is not { } field)
            throw root.Error($"\"pre_tokenizer\" is missing; {supported}");
        if (TypeOf(field) == ByteLevel)
            return OfByteLevel(field);
        if (TypeOf(field) != "Sequence")
            throw Unsupported(field);
        JsonField[] members = [.. field.Get("pretokenizers").Items()];
        return members switch
        {
            [] => throw field.Place.Error($"the sequence is empty; {supported}"),
            [var only] => Read(only, root, supported),
            [var split, var bytes] when TypeOf(split) == "Split" && TypeOf(bytes) == ByteLevel => OfPair(split, bytes),
            [var digits, var bytes] when TypeOf(digits) == "Digits" && TypeOf(bytes) == ByteLevel =>
                OfDigits(digits, bytes),
            _ => throw Unsupported(members.FirstOrDefault(static m => TypeOf(m) != ByteLevel, members[1])),
        };

        TokenizerFormatException Unsupported(JsonField part) =>
            part.Place.Error($"{part.Get("type").Shown()} is not supported; {supported}");
    }

    private static PreTokenizer OfByteLevel(JsonField field)
    {
        bool splits = field.Find("use_regex")?.AsBoolean() ?? true;
        return new(AddsPrefixSpace(field), splits ? WordPattern.Gpt2 : null);
    }

    private static PreTokenizer OfPair(JsonField split, JsonField byteLevel)
    {
        if (OfByteLevel(byteLevel) is not { Pattern: null, AddsPrefixSpace: false })
            throw byteLevel.Place.Error("after a Split, only use_regex false and add_prefix_space false are supported");
        JsonField behavior = split.Get("behavior");
        if (behavior.AsString() != "Isolated" || (split.Find("invert")?.AsBoolean() ?? false))
            throw behavior.Place.Error("only the behavior Isolated, not inverted, is supported");
        JsonField regex = split.Get("pattern").Get("Regex");
        WordPattern pattern = WordPattern.Find(regex.AsString())
            ?? throw regex.Place.Error(
                $"{regex.Shown()} is not supported; the patterns of GPT-2, Llama 3 and Qwen2 are");
        return new(false, pattern);
    }

    private static PreTokenizer OfDigits(JsonField digits, JsonField byteLevel)
    {
        if (!digits.Get("individual_digits").AsBoolean())
            throw digits.Place.Error("only individual_digits true is supported");
        return OfByteLevel(byteLevel) is { Pattern: not null, AddsPrefixSpace: false }
            ? new(false, WordPattern.SingleDigits)
            : throw byteLevel.Place.Error("after Digits, only use_regex true and add_prefix_space false are supported");
    }

    private static bool AddsPrefixSpace(JsonField byteLevel) =>
        byteLevel.Find("add_prefix_space")?.AsBoolean() ?? true;

    private static string TypeOf(JsonField field) => field.Get("type").AsString();
}
