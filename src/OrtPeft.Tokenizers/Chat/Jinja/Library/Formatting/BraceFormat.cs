using System.Globalization;
using System.Numerics;
using System.Text;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library.Formatting;

/// <summary>Python's <c>'{} and {name}'.format(…)</c>, its attributes and items within the sandbox.</summary>
internal sealed class BraceFormat(IReadOnlyList<object?> positional, PyDict named)
{
    private const int DeepestField = 2; // a field within a field's format, no deeper

    private int _automatic;

    public string Apply(string format, int depth = DeepestField)
    {
        if (depth < 0)
            throw new JinjaException("Max string recursion exceeded");
        var text = new StringBuilder();
        for (var at = 0; at < format.Length; at++)
        {
            var c = format[at];
            var isDoubled = at + 1 < format.Length && format[at + 1] == c;
            if (c is not ('{' or '}') || isDoubled)
            {
                text.Append(c);
                at += c is '{' or '}' ? 1 : 0;
                continue;
            }

            if (c == '}')
                throw new JinjaException("Single '}' encountered in format string");
            var end = FieldEnd(format, at);
            text.Append(Field(format[(at + 1)..end], depth));
            at = end;
            if (text.Length > Padding.LongestText)
                throw new JinjaException("a text that is too long", JinjaFailure.Limit);
        }

        return text.ToString();
    }

    private static int FieldEnd(string format, int start)
    {
        var depth = 0;
        for (var at = start; at < format.Length; at++)
        {
            depth += format[at] == '{' ? 1 : format[at] == '}' ? -1 : 0;
            if (depth == 0)
                return at;
        }

        throw new JinjaException("expected '}' before end of string");
    }

    private string Field(string field, int depth)
    {
        var colon = field.IndexOf(':', StringComparison.Ordinal);
        var spec = colon < 0 ? "" : Apply(field[(colon + 1)..], depth - 1);
        var name = colon < 0 ? field : field[..colon];
        var mark = name.IndexOf('!', StringComparison.Ordinal);
        var conversion = mark < 0 ? "" : name[(mark + 1)..];
        var value = Value(mark < 0 ? name : name[..mark]);
        return FormatSpec.Apply(conversion switch
        {
            "" => value,
            "s" => Display.Text(value),
            "r" => Display.Repr(value),
            _ => throw new JinjaException($"Unknown conversion specifier '{conversion}'"),
        }, spec);
    }

    private object? Value(string path)
    {
        var end = path.AsSpan().IndexOfAny('.', '[');
        var first = end < 0 ? path : path[..end];
        var value = First(first);
        for (var at = first.Length; at < path.Length;)
        {
            var isItem = path[at] == '[';
            var stop = isItem
                ? path.IndexOf(']', at)
                : path.AsSpan(at + 1).IndexOfAny('.', '[') is >= 0 and var more ? at + 1 + more : path.Length;
            if (stop < 0)
                throw new JinjaException("Missing ']' in format string");
            var key = path[(at + 1)..stop];
            value = isItem ? Access.Item(value, Key(key)) : Access.Attribute(value, key);
            at = isItem ? stop + 1 : stop;
        }

        return value;
    }

    private object? First(string name)
    {
        if (name.Length > 0 && Key(name) is string)
        {
            return named.TryGet(name, out var value)
                ? value
                : throw new JinjaException($"the format has no argument {PythonText.Repr(name)}");
        }

        var index = name.Length == 0 ? _automatic++ : int.Parse(name, CultureInfo.InvariantCulture);
        return index < positional.Count
            ? positional[index]
            : throw new JinjaException($"Replacement index {index} out of range for positional args tuple");
    }

    private static object Key(string key) => key.Length is > 0 and < 9 && key.All(char.IsAsciiDigit)
        ? BigInteger.Parse(key, CultureInfo.InvariantCulture)
        : key;
}
