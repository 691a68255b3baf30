using System.Collections.Frozen;
using OrtPeft.Tokenizers.Json;
using OrtPeft.Tokenizers.Patterns;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Normalizers;

/// <summary>The normalizers of <c>tokenizer.json</c>: a row each.</summary>
internal static class NormalizerReader
{
    private static readonly FrozenDictionary<string, Func<JsonField, TextNormalizer>> Rows =
        new Dictionary<string, Func<JsonField, TextNormalizer>>
        {
            ["BertNormalizer"] = ReadBert,
            ["ByteLevel"] = static _ => CharacterNormalizers.ByteLevel,
            ["Lowercase"] = static _ => CharacterNormalizers.Lowercase,
            ["NFC"] = static _ => NormalForms.Of(NormalForm.Composed),
            ["NFD"] = static _ => NormalForms.Of(NormalForm.Decomposed),
            ["NFKC"] = static _ => NormalForms.Of(NormalForm.CompatibilityComposed),
            ["NFKD"] = static _ => NormalForms.Of(NormalForm.CompatibilityDecomposed),
            ["Nmt"] = static _ => CharacterNormalizers.Nmt,
            ["Precompiled"] = ReadPrecompiled,
            ["Prepend"] = ReadPrepend,
            ["Replace"] = ReadReplace,
            ["Sequence"] = static field => Chain([.. field.Get("normalizers").Items().Select(Read)]),
            ["Strip"] = ReadStrip,
            ["StripAccents"] = static _ => CharacterNormalizers.StripAccents,
        }.ToFrozenDictionary();

    /// <exception cref="TokenizerFormatException">The component is not known, or a field of it is wrong.</exception>
    public static TextNormalizer Read(JsonField field) => field.Component(Rows, "normalizer")(field);

    private static TextNormalizer Chain(TextNormalizer[] parts) =>
        text => parts.Aggregate(text, static (current, part) => part(current));

    private static TextNormalizer ReadBert(JsonField field) => new BertNormalizer
    {
        CleansText = field.Find("clean_text")?.AsBoolean() ?? true,
        SpacesIdeographs = field.Find("handle_chinese_chars")?.AsBoolean() ?? true,
        StripsAccents = field.Find("strip_accents")?.AsBoolean(),
        Lowercases = field.Find("lowercase")?.AsBoolean() ?? true,
    }.Apply;

    private static TextNormalizer ReadStrip(JsonField field)
    {
        var left = field.Get("strip_left").AsBoolean();
        var right = field.Get("strip_right").AsBoolean();
        return text => CharacterNormalizers.Strip(text, left, right);
    }

    private static TextNormalizer ReadPrepend(JsonField field)
    {
        var prefix = field.Get("prepend").AsString();
        return text => text.Prepend(prefix);
    }

    private static TextNormalizer ReadReplace(JsonField field)
    {
        var pattern = TextPatternReader.Read(field.Get("pattern"));
        var content = field.Get("content").AsString();
        return text => text.Replace(pattern(text.Text), content);
    }

    private static TextNormalizer ReadPrecompiled(JsonField field)
    {
        var map = field.Get("precompiled_charsmap");
        byte[] bytes;
        try
        {
            bytes = Convert.FromBase64String(map.AsString());
        }
        catch (FormatException error)
        {
            throw map.Place.Error("not base64; restore the file", error);
        }

        if (bytes.Length == 0)
            return static text => text;
        var chars = CharsMap.Read(bytes)
            ?? throw map.Place.Error($"its {bytes.Length} bytes are not a map of characters; restore the file");
        return chars.Apply;
    }
}
