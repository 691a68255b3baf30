using System.Globalization;
using System.Text;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>
/// Texts as Python sees them: of code points, with its own idea of what is blank and what is printable.
/// </summary>
internal static class PythonText
{
    /// <summary>Whether Python counts a character as white space, in <c>isspace</c> and <c>strip</c>; .NET counts
    /// fewer.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    public static bool IsBlank(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!IsSpace(c))
                return false;
        }

        return true;
    }

    public static string TrimEnd(string text)
    {
        var end = text.Length;
        while (end > 0 && IsSpace(text[end - 1]))
            end--;
        return text[..end];
    }

    public static string TrimStart(string text)
    {
        var start = 0;
        while (start < text.Length && IsSpace(text[start]))
            start++;
        return text[start..];
    }

    public static string Strip(string text) => TrimStart(TrimEnd(text));

    public static bool IsNamePart(Rune rune) => Rune.IsLetterOrDigit(rune) || rune.Value == '_'
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
            or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;

    /// <summary>How many code points there are; a lone surrogate is one.</summary>
    public static int Length(string text)
    {
        var pairs = 0;
        for (var i = 1; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i - 1], text[i]))
                pairs++;
        }

        return text.Length - pairs;
    }

    /// <summary>The code points, each as a text.</summary>
    public static IEnumerable<object?> Characters(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            var width = WidthAt(text, i);
            yield return text.Substring(i, width);
            i += width;
        }
    }

    /// <summary>The code point at a place that is there.</summary>
    public static string At(string text, int place)
    {
        var at = IndexOf(text, place);
        return text.Substring(at, WidthAt(text, at));
    }

    /// <summary>Where in the UTF-16 text a code point begins; the end for the place after the last.</summary>
    public static int IndexOf(string text, int place)
    {
        var at = 0;
        for (; place > 0 && at < text.Length; place--)
            at += WidthAt(text, at);
        return at;
    }

    /// <summary>The order of code points, which differs from that of UTF-16 beyond U+FFFF.</summary>
    public static int Compare(string left, string right)
    {
        var shared = left.AsSpan().CommonPrefixLength(right);
        if (shared == left.Length || shared == right.Length)
            return left.Length.CompareTo(right.Length);
        return Rank(left[shared]).CompareTo(Rank(right[shared]));

        static int Rank(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
    }

    /// <summary>Quoted as Python does it: single quotes unless only those are within.</summary>
    public static string Repr(string text)
    {
        var isDouble = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal);
        var quote = isDouble ? '"' : '\'';
        var shown = new StringBuilder(text.Length + 2).Append(quote);
        for (var i = 0; i < text.Length;)
        {
            var width = WidthAt(text, i);
            AppendRepr(shown, text, i, width, quote);
            i += width;
        }

        return shown.Append(quote).ToString();
    }

    private static void AppendRepr(StringBuilder shown, string text, int at, int width, char quote)
    {
        var c = text[at];
        if (c == quote || c == '\\')
            shown.Append('\\').Append(c);
        else if ("\n\r\t".IndexOf(c, StringComparison.Ordinal) is >= 0 and var escape)
            shown.Append('\\').Append("nrt"[escape]);
        else if (IsPrintable(text, at))
            shown.Append(text, at, width);
        else
            shown.Append(Escaped(width == 2 ? char.ConvertToUtf32(text, at) : c));
    }

    /// <summary>Whether <c>repr</c> shows the character itself.</summary>
    public static bool IsPrintable(string text, int at) => text[at] == ' '
        || CharUnicodeInfo.GetUnicodeCategory(text, at) is not (UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);

    private static string Escaped(int code) => code switch
    {
        <= 0xFF => $"\\x{code:x2}",
        <= 0xFFFF => $"\\u{code:x4}",
        _ => $"\\U{code:x8}",
    };

    private static int WidthAt(string text, int at) =>
        at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
}
