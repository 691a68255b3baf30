using OrtPeft.Tokenizers.Chat.Jinja.Library.Formatting;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>The methods of texts.</summary>
internal static class TextMethods
{
    private const int DefaultTab = 8;

    public static IEnumerable<Method<string>> Rows =>
    [
        new("upper", "", static (s, _) => CaseMapping.Upper(s)),
        new("lower", "", static (s, _) => CaseMapping.Lower(s)),
        new("title", "", static (s, _) => CaseMapping.Title(s)),
        new("capitalize", "", static (s, _) => CaseMapping.Capitalize(s)),
        new("swapcase", "", static (s, _) => CaseMapping.Swap(s)),
        new("strip", "chars?", static (s, b) => Trimming.Both(s, b.StringOrNone(0))),
        new("lstrip", "chars?", static (s, b) => Trimming.Start(s, b.StringOrNone(0))),
        new("rstrip", "chars?", static (s, b) => Trimming.End(s, b.StringOrNone(0))),
        new("removeprefix", "prefix", static (s, b) =>
            s.StartsWith(b.String(0), StringComparison.Ordinal) ? s[b.String(0).Length..] : s),
        new("removesuffix", "suffix", static (s, b) =>
            s.EndsWith(b.String(0), StringComparison.Ordinal) ? s[..^b.String(0).Length] : s),
        new("replace", "old, new, count?", static (s, b) =>
            TextReplacement.Replace(s, b.String(0), b.String(1), b.IntegerOr(2, -1), b.Run)),
        new("split", "sep?, maxsplit?", static (s, b) =>
            new PyList(Splitting.Left(s, b.StringOrNone(0), b.IntegerOr(1, -1)))),
        new("rsplit", "sep?, maxsplit?", static (s, b) =>
            new PyList(Splitting.Right(s, b.StringOrNone(0), b.IntegerOr(1, -1)))),
        new("splitlines", "keepends?", static (s, b) => new PyList(Lines.Split(s, b.IsTrue(0)))),
        new("partition", "sep", static (s, b) => Splitting.Partition(s, b.String(0), fromEnd: false)),
        new("rpartition", "sep", static (s, b) => Splitting.Partition(s, b.String(0), fromEnd: true)),
        new("join", "iterable", Join),
        new("format", static (s, a) => new BraceFormat(a.Positional, a.NamedAsDict()).Apply(s)),
        new("format_map", "mapping", static (s, b) => new BraceFormat([], b[0] as PyDict
            ?? throw new JinjaException("format_map() needs a mapping")).Apply(s)),
        new("center", "width, fillchar?", static (s, b) => Padding.Center(s, b.Integer(0), Fill(b))),
        new("ljust", "width, fillchar?", static (s, b) => Padding.Pad(s, b.Integer(0), Fill(b), '<')),
        new("rjust", "width, fillchar?", static (s, b) => Padding.Pad(s, b.Integer(0), Fill(b), '>')),
        new("zfill", "width", static (s, b) => ZeroFilled(s, b.Integer(0))),
        new("expandtabs", "tabsize?", static (s, b) => ExpandTabs(s, b.IntegerOr(0, DefaultTab), b.Run)),
        .. TextSearch.Rows,
        .. TextQuestions.Rows,
        new("casefold", "", static (s, _) => System.Text.Ascii.IsValid(s)
            ? s.ToLowerInvariant()
            : throw new JinjaException("casefold of text beyond ASCII is not supported")),
        Method<string>.Unsupported("encode"),
        Method<string>.Unsupported("translate"),
        Method<string>.Unsupported("maketrans"),
    ];

    private static string Fill(Bound given)
    {
        var fill = given.Has(1) ? given.String(1) : " ";
        return PythonText.Length(fill) == 1
            ? fill
            : throw new JinjaException("The fill character must be exactly one character long");
    }

    private static string Join(string separator, Bound given)
    {
        object?[] items = [.. given.Items(0)];
        var wrong = Array.FindIndex(items, static item => item is not (string or Markup));
        if (wrong >= 0)
        {
            var found = TypeNames.Of(items[wrong]);
            throw new JinjaException($"sequence item {wrong}: expected str instance, {found} found");
        }

        string[] texts = [.. items.Select(Display.Text)];
        given.Run.Check(((long)items.Length * separator.Length) + texts.Sum(static text => (long)text.Length));
        return string.Join(separator, texts);
    }

    private static string ZeroFilled(string text, int width)
    {
        var isSigned = text.StartsWith('+') || text.StartsWith('-');
        var sign = isSigned ? text[..1] : "";
        return sign + Padding.Pad(text[sign.Length..], width - sign.Length, '0', '>');
    }

    private static string ExpandTabs(string text, int size, Rendering run)
    {
        var expanded = new System.Text.StringBuilder();
        var column = 0;
        foreach (var character in PythonText.Characters(text).Cast<string>())
        {
            var blanks = character == "\t" && size > 0 ? size - (column % size) : 0;
            run.Check(expanded.Length + (long)blanks);
            expanded.Append(' ', blanks).Append(character == "\t" ? "" : character);
            column = character is "\n" or "\r" ? 0 : column + (character == "\t" ? blanks : 1);
        }

        return expanded.ToString();
    }
}
