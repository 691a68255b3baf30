using OrtPeft.Tokenizers.Alignment;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Patterns;

/// <summary>Patterns that need no expression.</summary>
internal static class TextPatterns
{
    /// <summary>A text as it stands; the empty one matches nowhere.</summary>
    public static TextPattern Literal(string sought) => text =>
    {
        var matches = new List<TextMatch>();
        if (sought.Length == 0)
            return matches;
        for (var from = 0; text.IndexOf(sought, from, StringComparison.Ordinal) is >= 0 and int at; from = at + sought.Length)
            matches.Add(new TextMatch(at, at + sought.Length));
        return matches;
    };

    /// <summary>Each code point for which a test holds, by itself.</summary>
    public static TextPattern Each(Func<int, bool> holds) => text =>
    {
        var matches = new List<TextMatch>();
        for (int unit = 0, width; unit < text.Length; unit += width)
        {
            if (holds(CodePoints.At(text, unit, out width)))
                matches.Add(new TextMatch(unit, unit + width));
        }

        return matches;
    };
}
