using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>Python's <c>split</c> and its kin; without a separator, between runs of blanks.</summary>
internal static class Splitting
{
    /// <param name="text">What to split.</param>
    /// <param name="separator">Between the parts; null for blanks.</param>
    /// <param name="limit">How many splits from the left; all when negative.</param>
    public static IEnumerable<object?> Left(string text, string? separator, int limit)
    {
        var splits = limit < 0 ? int.MaxValue : limit;
        return separator is null ? LeftBlanks(text, splits) : LeftAt(text, NotEmpty(separator), splits);
    }

    /// <param name="text">What to split.</param>
    /// <param name="separator">Between the parts; null for blanks.</param>
    /// <param name="limit">How many splits from the right; all when negative.</param>
    public static IEnumerable<object?> Right(string text, string? separator, int limit)
    {
        var splits = limit < 0 ? int.MaxValue : limit;
        var parts = separator is null ? RightBlanks(text, splits) : RightAt(text, NotEmpty(separator), splits);
        return parts.Reverse();
    }

    public static PyTuple Partition(string text, string separator, bool fromEnd)
    {
        var at = fromEnd
            ? text.LastIndexOf(NotEmpty(separator), StringComparison.Ordinal)
            : text.IndexOf(NotEmpty(separator), StringComparison.Ordinal);
        if (at < 0)
            return new PyTuple(fromEnd ? ["", "", text] : [text, "", ""]);
        return new PyTuple([text[..at], separator, text[(at + separator.Length)..]]);
    }

    private static IEnumerable<object?> LeftAt(string text, string separator, int splits)
    {
        var start = 0;
        while (splits-- > 0 && text.IndexOf(separator, start, StringComparison.Ordinal) is >= 0 and var at)
        {
            yield return text[start..at];
            start = at + separator.Length;
        }

        yield return text[start..];
    }

    private static IEnumerable<object?> RightAt(string text, string separator, int splits)
    {
        var end = text.Length;
        while (splits-- > 0 && text[..end].LastIndexOf(separator, StringComparison.Ordinal) is >= 0 and var at)
        {
            yield return text[(at + separator.Length)..end];
            end = at;
        }

        yield return text[..end];
    }

    private static IEnumerable<object?> LeftBlanks(string text, int splits)
    {
        var rest = PythonText.TrimStart(text);
        while (rest.Length > 0)
        {
            var end = 0;
            while (end < rest.Length && !PythonText.IsSpace(rest[end]))
                end++;
            if (splits-- <= 0)
                end = PythonText.TrimEnd(rest).Length;
            yield return rest[..end];
            rest = splits < 0 ? "" : PythonText.TrimStart(rest[end..]);
        }
    }

    private static IEnumerable<object?> RightBlanks(string text, int splits)
    {
        var rest = PythonText.TrimEnd(text);
        while (rest.Length > 0)
        {
            var start = rest.Length;
            while (start > 0 && !PythonText.IsSpace(rest[start - 1]))
                start--;
            if (splits-- <= 0)
                start = rest.Length - PythonText.TrimStart(rest).Length;
            yield return rest[start..];
            rest = splits < 0 ? "" : PythonText.TrimEnd(rest[..start]);
        }
    }

    private static string NotEmpty(string separator) =>
        separator.Length > 0 ? separator : throw new JinjaException("empty separator");
}
