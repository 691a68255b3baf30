using System.Text;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>Blanks, or the characters of a set, taken from the ends of a text; and the words between blanks.</summary>
internal static class Trimming
{
    public static string Both(string text, string? set) => Start(End(text, set), set);

    public static string Start(string text, string? set)
    {
        if (set is null)
            return PythonText.TrimStart(text);
        var at = 0;
        while (at < text.Length && Rune.TryGetRuneAt(text, at, out var rune) && Holds(set, rune))
            at += rune.Utf16SequenceLength;
        return text[at..];
    }

    public static string End(string text, string? set)
    {
        if (set is null)
            return PythonText.TrimEnd(text);
        var end = text.Length;
        while (end > 0 && Rune.DecodeLastFromUtf16(text.AsSpan(0, end), out var rune, out var width) == 0
            && Holds(set, rune))
            end -= width;
        return text[..end];
    }

    public static IEnumerable<string> Words(string text)
    {
        var start = 0;
        for (var at = 0; at <= text.Length; at++)
        {
            if (at < text.Length && !PythonText.IsSpace(text[at]))
                continue;
            if (at > start)
                yield return text[start..at];
            start = at + 1;
        }
    }

    private static bool Holds(string set, Rune rune) => set.Contains(rune.ToString(), StringComparison.Ordinal);
}
