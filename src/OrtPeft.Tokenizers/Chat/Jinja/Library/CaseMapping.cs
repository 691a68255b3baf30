using System.Globalization;
using System.Text;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>
/// Upper, lower and title case as Python has them: Unicode's full mappings, independent of any culture.
/// </summary>
internal static class CaseMapping
{
    private const char Sigma = 'Σ';
    private const char FinalSigma = 'ς';
    private const char DottedI = 'İ';

    public static string Upper(string text)
    {
        return Ascii.IsValid(text)
            ? text.ToUpperInvariant()
            : Mapped(text, static (all, at, mapped) => mapped.Append(
                SpecialCases.Upper.GetValueOrDefault(all[at]) ?? SimpleUpper(all, at)));
    }

    public static string Lower(string text) => text.AsSpan().ContainsAny(Sigma, DottedI)
        ? Mapped(text, static (all, at, mapped) => mapped.Append(LowerAt(all, at)))
        : text.ToLowerInvariant();

    /// <summary>The first letter in title case, the rest in lower case.</summary>
    public static string Capitalize(string text)
    {
        if (text.Length == 0)
            return "";
        var first = char.IsSurrogatePair(text, 0) ? 2 : 1;
        return TitleAt(text, 0) + LowerFrom(text, first);
    }

    /// <summary>Python's <c>title()</c>: every letter after something without case begins a word.</summary>
    public static string Title(string text)
    {
        var isWithin = false;
        return Mapped(text, (all, at, mapped) =>
        {
            mapped.Append(isWithin ? LowerAt(all, at) : TitleAt(all, at));
            isWithin = IsCased(all, at);
        });
    }

    public static string Swap(string text) => Mapped(text, static (all, at, mapped) => mapped.Append(
        char.IsUpper(all, at) ? LowerAt(all, at)
        : char.IsLower(all, at) ? SpecialCases.Upper.GetValueOrDefault(all[at]) ?? SimpleUpper(all, at)
        : At(all, at)));

    public static bool IsUpper(string text) => HasOnly(text, UnicodeCategory.UppercaseLetter);

    public static bool IsLower(string text) => HasOnly(text, UnicodeCategory.LowercaseLetter);

    public static bool IsTitle(string text)
    {
        var any = false;
        var isWithin = false;
        for (var at = 0; at < text.Length; at++)
        {
            var category = CharUnicodeInfo.GetUnicodeCategory(text, at);
            var begins = category is UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter;
            var goesOn = category == UnicodeCategory.LowercaseLetter;
            if ((begins && isWithin) || (goesOn && !isWithin))
                return false;
            isWithin = begins || goesOn;
            any |= isWithin;
        }

        return any;
    }

    /// <summary>The text after a place in lower case; the text before it counts for a final sigma.</summary>
    private static string LowerFrom(string text, int start)
    {
        var mapped = new StringBuilder();
        for (var at = start; at < text.Length; at += At(text, at).Length)
            mapped.Append(LowerAt(text, at));
        return mapped.ToString();
    }

    private static string Mapped(string text, Action<string, int, StringBuilder> map)
    {
        var mapped = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at += At(text, at).Length)
            map(text, at, mapped);
        return mapped.ToString();
    }

    private static string At(string text, int at) =>
        text.Substring(at, at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1);

    private static string SimpleUpper(string text, int at) => At(text, at).ToUpperInvariant();

    private static string TitleAt(string text, int at)
    {
        if (SpecialCases.Title.GetValueOrDefault(text[at]) is { } special)
            return special;
        var isGeorgian = text[at] is >= 'ა' and <= 'ჿ'; // their capitals are for whole words only
        return isGeorgian ? At(text, at) : SimpleUpper(text, at);
    }

    private static string LowerAt(string text, int at) => text[at] switch
    {
        DottedI => "i\u0307",
        Sigma => (IsFinal(text, at) ? FinalSigma : 'σ').ToString(),
        _ => At(text, at).ToLowerInvariant(),
    };

    private static bool IsFinal(string text, int at)
    {
        var before = at - 1;
        while (before >= 0 && IsIgnorable(text, before))
            before--;
        var after = at + 1;
        while (after < text.Length && IsIgnorable(text, after))
            after++;
        return before >= 0 && IsCased(text, before) && !(after < text.Length && IsCased(text, after));
    }

    private static bool IsIgnorable(string text, int at) => "'.:·’‘·^`¨¯".Contains(text[at], StringComparison.Ordinal)
        || CharUnicodeInfo.GetUnicodeCategory(text, at) is UnicodeCategory.NonSpacingMark
            or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.ModifierLetter;

    private static bool IsCased(string text, int at) => text[at] is 'ª' or 'º'
        || CharUnicodeInfo.GetUnicodeCategory(text, at) is UnicodeCategory.UppercaseLetter
            or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;

    private static bool HasOnly(string text, UnicodeCategory wanted)
    {
        var any = false;
        for (var at = 0; at < text.Length; at++)
        {
            if (CharUnicodeInfo.GetUnicodeCategory(text, at) == wanted)
                any = true;
            else if (IsCased(text, at))
                return false;
        }

        return any;
    }
}
