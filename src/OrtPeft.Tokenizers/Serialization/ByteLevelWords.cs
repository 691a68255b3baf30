using OrtPeft.Tokenizers.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>
/// Recognises the pre-tokenizers that a <see cref="WordPattern"/> does as one: ByteLevel alone, as GPT-2's; Digits before
/// it, as SmolLM2's; or a Split by a known pattern before a ByteLevel that does not split, as Llama 3's and Qwen2's.
/// </summary>
internal static class ByteLevelWords
{
    private const string ByteLevel = "ByteLevel";

    /// <summary>Whether a space is put before a text, and how it is cut; null where the pre-tokenizer is another.</summary>
    public static (bool AddsPrefixSpace, WordPattern? Pattern)? Find(JsonField? preTokenizer)
    {
        if (preTokenizer is not { } field)
            return null;
        if (field.TypeName == ByteLevel)
            return (AddsPrefixSpace(field), Splits(field) ? WordPattern.Gpt2 : null);
        if (field.TypeName != "Sequence")
            return null;
        JsonField[] members = [.. field.Get("pretokenizers").Items()];
        return members switch
        {
            [var only] => Find(only),
            [var first, var bytes] when bytes.TypeName == ByteLevel && !AddsPrefixSpace(bytes) => OfPair(first, bytes),
            _ => null,
        };
    }

    private static (bool AddsPrefixSpace, WordPattern? Pattern)? OfPair(JsonField first, JsonField bytes)
    {
        var pattern = (first.TypeName, Splits(bytes)) switch
        {
            ("Digits", true) when first.Get("individual_digits").AsBoolean() => WordPattern.SingleDigits,
            ("Split", false) when IsIsolated(first) => WordPattern.Find(first.Get("pattern").Get("Regex").AsString()),
            _ => null,
        };
        return pattern is null ? null : (false, pattern);
    }

    private static bool IsIsolated(JsonField split) => split.Get("behavior").AsString() == "Isolated"
        && !(split.Find("invert")?.AsBoolean() ?? false) && split.Get("pattern").Find("Regex") is not null;

    private static bool Splits(JsonField byteLevel) => byteLevel.Find("use_regex")?.AsBoolean() ?? true;

    private static bool AddsPrefixSpace(JsonField byteLevel) => byteLevel.Find("add_prefix_space")?.AsBoolean() ?? true;
}
