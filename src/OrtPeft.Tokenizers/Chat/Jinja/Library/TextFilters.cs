using System.Net;
using System.Numerics;
using System.Text;
using OrtPeft.Tokenizers.Chat.Jinja.Library.Formatting;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>Filters that make text.</summary>
internal static class TextFilters
{
    private const int DefaultIndent = 4;
    private const int DefaultWidth = 80;
    private const int DefaultTruncation = 255;
    private const int DefaultLeeway = 5;

    public static IEnumerable<Filter> Rows =>
    [
        new("string", "object", static b => b[0] is Markup ? b[0] : b.Text(0)),
        new("safe", "value", static b => new Markup(b.Text(0))),
        new("escape", "s", static b => Markup.Escape(b[0])),
        new("e", "s", static b => Markup.Escape(b[0])),
        new("forceescape", "value", static b => Markup.Escape(b.Text(0))),
        new("upper", "s", static b => CaseMapping.Upper(b.Text(0))),
        new("lower", "s", static b => CaseMapping.Lower(b.Text(0))),
        new("capitalize", "s", static b => CaseMapping.Capitalize(b.Text(0))),
        new("title", "s", static b => Title(b.Text(0))),
        new("trim", "value, chars?", static b => Trimming.Both(b.Text(0), b.StringOrNone(1))),
        new("replace", "s, old, new, count?", static b => TextReplacement.Replace(
            b.Text(0), b.Text(1), b.Text(2), b.IntegerOrNone(3) ?? -1, b.Run)),
        new("center", "value, width?", static b =>
            Padding.Center(b.Text(0), b.IntegerOr(1, DefaultWidth), " ")),
        new("indent", "s, width?, first?, blank?", Indent),
        new("truncate", "s, length?, killwords?, end?, leeway?", Truncate),
        new("wordcount", "s", static b => (BigInteger)CountWords(b.Text(0))),
        new("striptags", "value", static b => new Markup(StripTags(b.Text(0)))),
        new("urlencode", "value", static b => UrlText.Encode(b[0])),
        new("format", Format),
        new("tojson", "x, ensure_ascii?, indent?, separators?, sort_keys?", ToJson),
    ];

    private static string ToJson(Bound given)
    {
        var indent = given.Or(2, null) switch
        {
            null => null,
            string text => text,
            var width => new string(' ', Math.Clamp(Whole.Small(width), 0, DefaultTruncation)),
        };
        object?[] separators = given.Or(3, null) is { } pair
            ? [.. Iteration.Of(pair)]
            : [indent is null ? ", " : ",", ": "];
        if (separators is not [string item, string key])
            throw new JinjaException("separators must be a pair of strings");
        var json = new PythonJson(indent, item, key, given.IsTrue(4), given.IsTrue(1));
        return json.Write(given[0]);
    }

    private static string Format(object? value, Arguments given)
    {
        if (given.Positional.Count > 0 && given.Named.Count > 0)
            throw new JinjaException("can't handle positional and keyword arguments at the same time");
        object values = given.Named.Count > 0 ? given.NamedAsDict() : new PyTuple(given.Positional);
        return PercentFormat.Apply(Display.Text(value), values);
    }

    /// <summary>Words begin after blanks, hyphens and opening brackets, unlike for Python's own method.</summary>
    private static string Title(string text)
    {
        var titled = new StringBuilder();
        var word = new StringBuilder();
        foreach (var c in text)
        {
            var isBetween = PythonText.IsSpace(c) || c is '-' or '(' or '{' or '[' or '<';
            if (isBetween)
            {
                Flush();
                titled.Append(c);
            }
            else
            {
                word.Append(c);
            }
        }

        Flush();
        return titled.ToString();

        void Flush()
        {
            var whole = word.ToString();
            var first = whole.Length == 0 ? 0 : char.IsSurrogatePair(whole, 0) ? 2 : 1;
            titled.Append(CaseMapping.Upper(whole[..first])).Append(CaseMapping.Lower(whole[first..]));
            word.Clear();
        }
    }

    private static string Indent(Bound given)
    {
        if (given[0] is Undefined undefined)
            throw undefined.Error();
        var text = given.String(0);
        var written = given.Or(1, null) as string;
        var size = written is null ? given.IntegerOr(1, DefaultIndent) : written.Length;
        given.Run.Check(size);
        var indention = written ?? new string(' ', Math.Max(0, size));
        var lines = Lines.Split(text + "\n", keepsEnds: false);
        given.Run.Check((long)lines.Count * indention.Length);
        var blank = given.IsTrue(3);
        var rest = lines.Skip(1).Select(line => blank || line.Length > 0 ? indention + line : line);
        return (given.IsTrue(2) ? indention : "") + string.Join("\n", rest.Prepend(lines[0]));
    }

    private static object? Truncate(Bound given)
    {
        var length = given.IntegerOr(1, DefaultTruncation);
        var end = given.Has(3) ? given.String(3) : "...";
        var leeway = given.IntegerOrNone(4) ?? DefaultLeeway;
        var room = length - PythonText.Length(end);
        if (room < 0 || leeway < 0)
            throw new JinjaException($"expected length >= {PythonText.Length(end)}, got {length}");
        if (Sizes.Length(given[0]) <= (long)length + leeway)
            return given[0];
        var text = given.String(0);
        var cut = text[..PythonText.IndexOf(text, room)];
        var blank = given.IsTrue(2) ? -1 : cut.LastIndexOf(' ');
        return (blank < 0 ? cut : cut[..blank]) + end;
    }

    private static int CountWords(string text)
    {
        var words = 0;
        var isWithin = false;
        foreach (var rune in text.EnumerateRunes())
        {
            var isWord = Rune.IsLetterOrDigit(rune) || Rune.IsNumber(rune) || rune.Value == '_';
            words += isWord && !isWithin ? 1 : 0;
            isWithin = isWord;
        }

        return words;
    }

    private static string StripTags(string text)
    {
        var bare = Without(Without(text, "<!--", "-->"), "<", ">");
        string[] words = [.. Trimming.Words(bare)];
        return WebUtility.HtmlDecode(string.Join(' ', words));
    }

    private static string Without(string text, string open, string close)
    {
        var kept = new StringBuilder();
        var at = 0;
        while (text.IndexOf(open, at, StringComparison.Ordinal) is >= 0 and var start)
        {
            var end = text.IndexOf(close, start, StringComparison.Ordinal);
            if (end < 0)
                break;
            kept.Append(text, at, start - at);
            at = end + close.Length;
        }

        return kept.Append(text, at, text.Length - at).ToString();
    }
}
