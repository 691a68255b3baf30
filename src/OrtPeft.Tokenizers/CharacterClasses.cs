using System.Globalization;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers;

/// <summary>Classes of Unicode scalar values, read from UTF-16. <c>\s</c> is the property White_Space.</summary>
internal static class CharacterClasses
{
    private static readonly CharacterClass[] BasicPlane = BuildBasicPlane();

    /// <summary>The class of the character that starts at <paramref name="index"/>.</summary>
    /// <param name="text">UTF-16; a lone surrogate is a character of its own, of class Other as U+FFFD is.</param>
    /// <param name="index">A position inside the text, not in the middle of a pair.</param>
    /// <param name="width">1, or 2 for a surrogate pair.</param>
    public static CharacterClass At(ReadOnlySpan<char> text, int index, out int width)
    {
        var c = text[index];
        width = 1;
        if (!char.IsHighSurrogate(c) || index + 1 >= text.Length || !char.IsLowSurrogate(text[index + 1]))
            return BasicPlane[c];
        width = 2;
        return Classify(char.ConvertToUtf32(c, text[index + 1]));
    }

    /// <summary>
    /// <c>\w</c> as the Rust regex crate has it: Alphabetic, marks, decimal digits, connectors and the two joiners.
    /// </summary>
    public static bool IsWord(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
    {
        <= UnicodeCategory.OtherLetter => true,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark => true,
        UnicodeCategory.EnclosingMark => true,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber => true,
        UnicodeCategory.ConnectorPunctuation => true,
        _ => IsJoiner(codePoint) || IsAlphabeticSymbol(codePoint),
    };

    /// <summary>Unicode's White_Space, as Rust's <c>is_whitespace</c> and <c>\s</c>.</summary>
    public static bool IsSpace(int codePoint) => codePoint < 0x10000 && char.IsWhiteSpace((char)codePoint);

    /// <summary>Categories Nd, Nl and No, as Rust's <c>is_numeric</c>.</summary>
    public static bool IsNumber(int codePoint) => Classify(codePoint) == CharacterClass.Number;

    /// <summary>Punctuation for BERT: ASCII's 32 symbols, else category P as of Unicode 8.0.</summary>
    public static bool IsPunctuation(int codePoint)
    {
        if (codePoint >= 0x80)
            return UnicodeTables.Current.Punctuation8.Contains(codePoint);
        return codePoint is > ' ' and < 0x7F && !char.IsAsciiLetterOrDigit((char)codePoint);
    }

    private static bool IsJoiner(int codePoint) => codePoint is 0x200C or 0x200D;

    /// <summary>Circled and squared Latin letters: symbols that are Alphabetic all the same.</summary>
    private static bool IsAlphabeticSymbol(int codePoint) => codePoint
        is (>= 0x24B6 and <= 0x24E9)
        or (>= 0x1F130 and <= 0x1F149)
        or (>= 0x1F150 and <= 0x1F169)
        or (>= 0x1F170 and <= 0x1F189);

    private static CharacterClass Classify(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
    {
        <= UnicodeCategory.OtherLetter => CharacterClass.Letter,
        UnicodeCategory.DecimalDigitNumber => CharacterClass.Number,
        UnicodeCategory.LetterNumber => CharacterClass.Number,
        UnicodeCategory.OtherNumber => CharacterClass.Number,
        _ => CharacterClass.Other,
    };

    private static CharacterClass[] BuildBasicPlane()
    {
        var classes = new CharacterClass[char.MaxValue + 1];
        for (var c = 0; c < classes.Length; c++)
            classes[c] = char.IsWhiteSpace((char)c) ? CharacterClass.Space : Classify(c);
        return classes;
    }
}
