using System.Numerics;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>The methods that look for a text within a text; places count code points.</summary>
internal static class TextSearch
{
    public static IEnumerable<Method<string>> Rows =>
    [
        new("startswith", "prefix, start?, end?", static (s, b) => Any(s, b, static (part, wanted) =>
            part.StartsWith(wanted, StringComparison.Ordinal))),
        new("endswith", "suffix, start?, end?", static (s, b) => Any(s, b, static (part, wanted) =>
            part.EndsWith(wanted, StringComparison.Ordinal))),
        new("find", "sub, start?, end?", static (s, b) => (BigInteger)(Find(s, b, fromEnd: false) ?? -1)),
        new("rfind", "sub, start?, end?", static (s, b) => (BigInteger)(Find(s, b, fromEnd: true) ?? -1)),
        new("index", "sub, start?, end?", static (s, b) =>
            (BigInteger)(Find(s, b, fromEnd: false) ?? throw NotFound())),
        new("rindex", "sub, start?, end?", static (s, b) =>
            (BigInteger)(Find(s, b, fromEnd: true) ?? throw NotFound())),
        new("count", "sub, start?, end?", static (s, b) => (BigInteger)Count(s, b)),
    ];

    private static bool Any(string text, Bound given, Func<string, string, bool> matches)
    {
        if (Window(text, given) is not var (part, _))
            return false;
        IEnumerable<object?> wanted = given[0] is PyTuple several ? several.Items : [given.String(0)];
        return wanted.Any(one => matches(part, one as string
            ?? throw new JinjaException($"tuple must only contain str, not {TypeNames.Of(one)}")));
    }

    private static int? Find(string text, Bound given, bool fromEnd)
    {
        var wanted = given.String(0);
        if (Window(text, given) is not var (part, offset))
            return null;
        var at = fromEnd
            ? part.LastIndexOf(wanted, StringComparison.Ordinal)
            : part.IndexOf(wanted, StringComparison.Ordinal);
        return at < 0 ? null : offset + PythonText.Length(part[..at]);
    }

    private static int Count(string text, Bound given)
    {
        var wanted = given.String(0);
        if (Window(text, given) is not var (part, _))
            return 0;
        if (wanted.Length == 0)
            return PythonText.Length(part) + 1;
        var count = 0;
        for (var at = 0; (at = part.IndexOf(wanted, at, StringComparison.Ordinal)) >= 0; at += wanted.Length)
            count++;
        return count;
    }

    /// <summary>The part between start and end, and its place; null where the start is after the end.</summary>
    private static (string Part, int Offset)? Window(string text, Bound given)
    {
        if (given.Or(1, null) is null && given.Or(2, null) is null)
            return (text, 0);
        var length = PythonText.Length(text);
        var start = Place(given.Or(1, null) is null ? 0 : given.Integer(1));
        var end = Math.Min(length, Place(given.Or(2, null) is null ? length : given.Integer(2)));
        return start > end
            ? null
            : (text[PythonText.IndexOf(text, start)..PythonText.IndexOf(text, end)], start);

        int Place(int given) => given < 0 ? Math.Max(0, given + length) : given;
    }

    private static JinjaException NotFound() => new("substring not found");
}
