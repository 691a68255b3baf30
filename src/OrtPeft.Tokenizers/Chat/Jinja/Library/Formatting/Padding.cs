using System.Globalization;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library.Formatting;

/// <summary>Texts filled up to a width in code points.</summary>
internal static class Padding
{
    public const int LongestText = 1 << 24; // characters

    /// <param name="text">What to fill up.</param>
    /// <param name="width">The least length.</param>
    /// <param name="fill">With what.</param>
    /// <param name="align"><c>&lt;</c> fills after, <c>&gt;</c> before, <c>^</c> on both sides, more after.</param>
    public static string Pad(string text, int width, char fill, char align) =>
        Pad(text, width, fill.ToString(), align);

    public static string Pad(string text, int width, string fill, char align)
    {
        var missing = width - PythonText.Length(text);
        if (missing <= 0)
            return text;
        if (width > LongestText)
            throw new JinjaException($"a width of {width}; at most {LongestText} is allowed", JinjaFailure.Limit);
        var before = align switch { '<' => 0, '>' => missing, _ => missing / 2 };
        return Repeat(fill, before) + text + Repeat(fill, missing - before);
    }

    /// <summary>As <c>str.center</c> does it: an odd fill goes before the text when the width is odd.</summary>
    public static string Center(string text, int width, string fill)
    {
        var missing = width - PythonText.Length(text);
        if (missing <= 0)
            return text;
        var before = (missing / 2) + (missing & width & 1);
        return Pad(Pad(text, width - missing + before, fill, '>'), width, fill, '<');
    }

    public static int Width(string digits) => int.TryParse(digits, CultureInfo.InvariantCulture, out var width)
        ? width
        : throw new JinjaException("Too many decimal digits in format string");

    private static string Repeat(string fill, int count) =>
        fill.Length == 1 ? new string(fill[0], count) : string.Concat(Enumerable.Repeat(fill, count));
}
