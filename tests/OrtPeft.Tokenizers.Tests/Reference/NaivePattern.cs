using System.Text;

namespace OrtPeft.Tokenizers.Tests.Reference;

/// <summary>
/// GPT-2's pattern read literally, alternative by alternative and with backtracking, over scalar values. Slow, and
/// written without a look at the scanner it checks.
/// </summary>
internal static class NaivePattern
{
    private static readonly string[] Contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    private static readonly HashSet<int> WhiteSpace =
    [
        0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
        0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000,
    ];

    public static List<string> Split(string text)
    {
        Rune[] runes = [.. text.EnumerateRunes()];
        var words = new List<string>();
        for (var at = 0; at < runes.Length;)
        {
            var end = MatchEnd(runes, at);
            words.Add(string.Concat(runes[at..end]));
            at = end;
        }

        return words;
    }

    private static int MatchEnd(Rune[] text, int at)
    {
        // All contractions begin with it; looking first keeps the sweep over all of Unicode short.
        foreach (var contraction in text[at].Value == '\'' ? Contractions : [])
        {
            var here = string.Concat(text.Skip(at).Take(contraction.Length));
            if (here == contraction)
                return at + contraction.Length;
        }

        foreach (var kind in (Func<Rune, bool>[])[IsLetter, IsNumber, IsOther])
        {
            if (text[at].Value == ' ' && Repeat(text, at + 1, kind) is var spaced && spaced > at + 1)
                return spaced;
            if (Repeat(text, at, kind) is var plain && plain > at)
                return plain;
        }

        var longest = Repeat(text, at, IsSpace);
        for (var end = longest; end > at; end--)
        {
            if (end == text.Length || IsSpace(text[end]))
                return end;
        }

        return longest;
    }

    private static int Repeat(Rune[] text, int at, Func<Rune, bool> kind)
    {
        while (at < text.Length && kind(text[at]))
            at++;
        return at;
    }

    private static bool IsSpace(Rune rune) => WhiteSpace.Contains(rune.Value);

    private static bool IsLetter(Rune rune) => CategoryName(rune) is "UppercaseLetter" or "LowercaseLetter"
        or "TitlecaseLetter" or "ModifierLetter" or "OtherLetter";

    private static bool IsNumber(Rune rune) => CategoryName(rune) is "DecimalDigitNumber" or "LetterNumber"
        or "OtherNumber";

    private static bool IsOther(Rune rune) => !IsSpace(rune) && !IsLetter(rune) && !IsNumber(rune);

    private static string CategoryName(Rune rune)
    {
        var category = Rune.GetUnicodeCategory(rune);
        return category.ToString();
    }
}
