using System.Text;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>Python's <c>replace</c>: the first so many places, all of them when negative.</summary>
internal static class TextReplacement
{
    public static string Replace(string text, string old, string with, int count, Rendering run)
    {
        var limit = count < 0 ? int.MaxValue : count;
        if (old.Length == 0)
            return Between(text, with, limit, run);
        var replaced = new StringBuilder();
        var at = 0;
        while (limit-- > 0 && text.IndexOf(old, at, StringComparison.Ordinal) is >= 0 and var found)
        {
            replaced.Append(text, at, found - at).Append(with);
            at = found + old.Length;
            run.Check(replaced.Length);
        }

        return replaced.Append(text, at, text.Length - at).ToString();
    }

    /// <summary>Nothing is found before every character and at the end.</summary>
    private static string Between(string text, string with, int limit, Rendering run)
    {
        var replaced = new StringBuilder();
        foreach (var character in PythonText.Characters(text))
        {
            replaced.Append(limit-- > 0 ? with : "").Append((string?)character);
            run.Check(replaced.Length);
        }

        return replaced.Append(limit > 0 ? with : "").ToString();
    }
}
