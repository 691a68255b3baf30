using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>JSON as Python's <c>json.dumps</c> writes it: no HTML escapes, blanks after commas and colons.</summary>
/// <param name="Indent">What one level is indented by; null writes one line.</param>
/// <param name="ItemSeparator">Between items.</param>
/// <param name="KeySeparator">Between a key and its value.</param>
/// <param name="SortsKeys">Whether objects are written in the order of their keys.</param>
/// <param name="EscapesNonAscii">Whether only ASCII is written.</param>
internal sealed record PythonJson(
    string? Indent, string ItemSeparator, string KeySeparator, bool SortsKeys, bool EscapesNonAscii)
{
    private const int LongestText = 1 << 24; // characters

    public string Write(object? value)
    {
        var text = new StringBuilder();
        Write(text, value, "\n");
        return text.ToString();
    }

    private void Write(StringBuilder text, object? value, string line)
    {
        if (text.Length > LongestText || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new JinjaException("a value is too large or too deep for JSON", JinjaFailure.Limit);
        switch (value)
        {
            case string or Markup:
                WriteString(text, Display.Text(value));
                break;
            case PyList list:
                WriteItems(text, '[', ']', list.Items, line, (item, inner) => Write(text, item, inner));
                break;
            case PyTuple tuple:
                WriteItems(text, '[', ']', tuple.Items, line, (item, inner) => Write(text, item, inner));
                break;
            case PyDict dict:
                WriteItems(text, '{', '}', Pairs(dict), line, (pair, inner) =>
                {
                    WriteString(text, KeyText(pair.Key));
                    text.Append(KeySeparator);
                    Write(text, pair.Value, inner);
                });
                break;
            default:
                text.Append(Scalar(value)
                    ?? throw new JinjaException($"Object of type {TypeNames.Of(value)} is not JSON serializable"));
                break;
        }
    }

    private List<(object? Key, object? Value)> Pairs(PyDict dict) => SortsKeys
        ? Ordering.Sort([.. dict.Pairs], static pair => pair.Key, isReversed: false)
        : [.. dict.Pairs];

    private void WriteItems<T>(
        StringBuilder text, char open, char close, IReadOnlyList<T> items, string line, Action<T, string> write)
    {
        text.Append(open);
        var inner = line + Indent;
        for (var i = 0; i < items.Count; i++)
        {
            text.Append(i > 0 ? ItemSeparator : "").Append(Indent is null ? "" : inner);
            write(items[i], inner);
        }

        text.Append(Indent is null || items.Count == 0 ? "" : line).Append(close);
    }

    private static string KeyText(object? key) => key as string ?? Scalar(key)
        ?? throw new JinjaException($"keys must be str, int, float, bool or None, not {TypeNames.Of(key)}");

    private static string? Scalar(object? value) => value switch
    {
        null => "null",
        bool truth => truth ? "true" : "false",
        BigInteger whole => Whole.Text(whole),
        double.NaN => "NaN",
        double.PositiveInfinity => "Infinity",
        double.NegativeInfinity => "-Infinity",
        double number => FloatText.Repr(number),
        _ => null,
    };

    private void WriteString(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            var escape = "\"\\\n\r\t\f\b".IndexOf(c, StringComparison.Ordinal);
            if (escape >= 0)
                text.Append('\\').Append("\"\\nrtfb"[escape]);
            else if (c < ' ' || (c > '~' && EscapesNonAscii))
                text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            else
                text.Append(c);
        }

        text.Append('"');
    }
}
