using System.Collections.Frozen;
using OrtPeft.Tokenizers.Alignment;
using OrtPeft.Tokenizers.Json;
using OrtPeft.Tokenizers.Patterns;

namespace OrtPeft.Tokenizers.PreTokenizers;

/// <summary>The pre-tokenizers of <c>tokenizer.json</c>: a row each.</summary>
internal static class PieceSplitterReader
{
    private static readonly FrozenDictionary<string, Func<JsonField, PieceSplitter>> Rows =
        new Dictionary<string, Func<JsonField, PieceSplitter>>
        {
            ["BertPreTokenizer"] = static _ => Bert,
            ["ByteLevel"] = ReadByteLevel,
            ["CharDelimiterSplit"] = ReadDelimiter,
            ["Delimiter"] = ReadDelimiter,
            ["Digits"] = ReadDigits,
            ["FixedLength"] = ReadFixedLength,
            ["Metaspace"] = static field => MetaspaceReader.Read(field).Split,
            ["Punctuation"] = static field => Each(CharacterClasses.IsPunctuation, Behavior(field.Find("behavior"))),
            ["Sequence"] = static field => Chain([.. field.Get("pretokenizers").Items().Select(Read)]),
            ["Split"] = static field => PatternSplit.Of(
                TextPatternReader.Read(field.Get("pattern")),
                Behavior(field.Get("behavior")),
                field.Find("invert")?.AsBoolean() ?? false),
            ["UnicodeScripts"] = static _ => ScriptSplit.Split,
            ["Whitespace"] = static _ => WordSplit.Split,
            ["WhitespaceSplit"] = static _ => Each(CharacterClasses.IsSpace, SplitBehavior.Removed),
        }.ToFrozenDictionary();

    /// <summary>Words between white space, punctuation apart.</summary>
    public static PieceSplitter Bert => Chain([
        Each(CharacterClasses.IsSpace, SplitBehavior.Removed),
        Each(CharacterClasses.IsPunctuation, SplitBehavior.Isolated)]);

    /// <exception cref="TokenizerFormatException">The component is not known, or a field of it is wrong.</exception>
    public static PieceSplitter Read(JsonField field) => field.Component(Rows, "pre-tokenizer")(field);

    private static PieceSplitter Chain(PieceSplitter[] parts) => piece =>
    {
        IEnumerable<AlignedText> pieces = [piece];
        foreach (var part in parts)
            pieces = pieces.SelectMany(p => part(p)).Where(static p => p.Text.Length > 0);
        return pieces;
    };

    private static PieceSplitter Each(Func<int, bool> holds, SplitBehavior behavior) =>
        PatternSplit.Of(TextPatterns.Each(holds), behavior);

    private static PieceSplitter ReadByteLevel(JsonField field) => ByteLevelSplit.Of(
        field.Get("add_prefix_space").AsBoolean(), field.Find("use_regex")?.AsBoolean() ?? true);

    private static PieceSplitter ReadDelimiter(JsonField field)
    {
        var delimiter = field.Get("delimiter").AsCharacter();
        return PatternSplit.Of(TextPatterns.Literal(delimiter), SplitBehavior.Removed);
    }

    private static PieceSplitter ReadDigits(JsonField field)
    {
        var isEach = field.Get("individual_digits").AsBoolean();
        return Each(CharacterClasses.IsNumber, isEach ? SplitBehavior.Isolated : SplitBehavior.Contiguous);
    }

    private static PieceSplitter ReadFixedLength(JsonField field)
    {
        var given = field.Find("length");
        var length = given?.AsInt32() ?? 5;
        if (length < 1)
            throw given!.Value.Place.Error($"the length is {length}; at least 1 is expected");
        return FixedLengthSplit.Of(length);
    }

    private static SplitBehavior Behavior(JsonField? field)
    {
        if (field is not { } behavior)
            return SplitBehavior.Isolated;
        var isKnown = Enum.TryParse(behavior.AsString(), out SplitBehavior known)
            && Enum.IsDefined(known) && !char.IsAsciiDigit(behavior.AsString()[0]);
        var names = string.Join(", ", Enum.GetNames<SplitBehavior>());
        return isKnown ? known : throw behavior.Place.Error($"{behavior.Shown()} is not a behavior; give one of {names}");
    }
}
