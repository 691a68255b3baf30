using System.Numerics;
using System.Text;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library.Formatting;

/// <summary>Python's <c>'%s of %d' % (name, count)</c>.</summary>
internal sealed class PercentFormat
{
    private const int DefaultPrecision = 6;

    private readonly string _format;
    private readonly PyDict? _named;
    private readonly List<object?> _values;
    private int _at;
    private int _next;

    private PercentFormat(string format, object? values)
    {
        _format = format;
        _named = values as PyDict;
        _values = values is PyTuple tuple ? tuple.Items : [values];
    }

    public static string Apply(string format, object? values)
    {
        var formatter = new PercentFormat(format, values);
        var text = formatter.Run();
        var isUsed = formatter._next >= formatter._values.Count || values is PyDict or PyList or Undefined;
        return isUsed ? text : throw new JinjaException("not all arguments converted during string formatting");
    }

    private string Run()
    {
        var text = new StringBuilder();
        while (_at < _format.Length)
        {
            var c = _format[_at++];
            text.Append(c == '%' ? Conversion() : c.ToString());
            if (text.Length > Padding.LongestText)
                throw new JinjaException("a text that is too long", JinjaFailure.Limit);
        }

        return text.ToString();
    }

    private string Conversion()
    {
        object? named = null;
        var isNamed = _at < _format.Length && _format[_at] == '(';
        if (isNamed)
            named = Named();
        var flags = "";
        while (_at < _format.Length && "-+ 0#".Contains(_format[_at], StringComparison.Ordinal))
            flags += _format[_at++];
        var width = Number() ?? 0;
        if (width < 0)
            (flags, width) = (flags + "-", -width);
        int? precision = null;
        if (_at < _format.Length && _format[_at] == '.')
        {
            _at++;
            precision = Math.Max(0, Number() ?? 0);
        }

        while (_at < _format.Length && _format[_at] is 'l' or 'h' or 'L')
            _at++;
        if (_at >= _format.Length)
            throw new JinjaException("incomplete format");
        var kind = _format[_at++];
        if (kind == '%')
            return "%";
        return Convert(kind, isNamed ? named : NextValue(), flags, width, precision);
    }

    private object? Named()
    {
        var start = ++_at;
        for (var depth = 1; depth > 0; _at++)
        {
            if (_at >= _format.Length)
                throw new JinjaException("incomplete format key");
            depth += _format[_at] == '(' ? 1 : _format[_at] == ')' ? -1 : 0;
        }

        var key = _format[start..(_at - 1)];
        if (_named is null)
            throw new JinjaException("format requires a mapping");
        return _named.TryGet(key, out var value) ? value : throw new JinjaException(PythonText.Repr(key));
    }

    private int? Number()
    {
        if (_at < _format.Length && _format[_at] == '*')
        {
            _at++;
            return Whole.Small(NextValue());
        }

        var start = _at;
        while (_at < _format.Length && char.IsAsciiDigit(_format[_at]))
            _at++;
        return _at == start ? null : Padding.Width(_format[start.._at]);
    }

    private object? NextValue() => _next < _values.Count
        ? _values[_next++]
        : throw new JinjaException("not enough arguments for format string");

    private static string Convert(char kind, object? value, string flags, int width, int? precision)
    {
        switch (kind)
        {
            case 's' or 'r' or 'a':
                var text = kind == 's' ? Display.Text(value) : Display.Repr(value);
                var shown = precision is { } limit ? text[..PythonText.IndexOf(text, limit)] : text;
                return Padding.Pad(shown, width, ' ', flags.Contains('-', StringComparison.Ordinal) ? '<' : '>');
            case 'c':
                var character = value is string s ? s : char.ConvertFromUtf32(Whole.Small(value));
                return Padding.Pad(character, width, ' ', flags.Contains('-', StringComparison.Ordinal) ? '<' : '>');
            case 'd' or 'i' or 'u' or 'x' or 'X' or 'o':
                return Integer(kind, value, flags, width, precision);
            case 'f' or 'F' or 'e' or 'E' or 'g' or 'G':
                var number = Equality.IsNumber(value) ? Arithmetic.Float(value)
                    : throw new JinjaException($"must be real number, not {TypeNames.Of(value)}");
                var isAlternate = flags.Contains('#', StringComparison.Ordinal);
                var digits = NumberText.OfFloat(number, kind, precision ?? DefaultPrecision, isAlternate);
                return Signed("", digits, double.IsNegative(number) && !double.IsNaN(number), flags, width);
            default:
                throw new JinjaException($"unsupported format character '{kind}'");
        }
    }

    private static string Integer(char kind, object? value, string flags, int width, int? precision)
    {
        var isDecimal = kind is 'd' or 'i' or 'u';
        var whole = value is double number && isDecimal && double.IsFinite(number)
            ? new BigInteger(number)
            : Whole.TryOf(value, out var given) ? given
            : throw new JinjaException($"%{kind} format: a number is required, not {TypeNames.Of(value)}");
        var radix = isDecimal ? 10 : kind == 'o' ? 8 : 16;
        var digits = NumberText.OfWhole(whole, radix, isUpper: kind == 'X').PadLeft(precision ?? 0, '0');
        var isAlternate = flags.Contains('#', StringComparison.Ordinal) && !isDecimal;
        return Signed(isAlternate ? $"0{kind}" : "", digits, whole.Sign < 0, flags, width);
    }

    private static string Signed(string prefix, string digits, bool isNegative, string flags, int width)
    {
        var sign = isNegative ? "-" : flags.Contains('+', StringComparison.Ordinal) ? "+"
            : flags.Contains(' ', StringComparison.Ordinal) ? " " : "";
        var isLeft = flags.Contains('-', StringComparison.Ordinal);
        if (flags.Contains('0', StringComparison.Ordinal) && !isLeft)
            digits = Padding.Pad(digits, width - sign.Length - prefix.Length, '0', '>');
        return Padding.Pad(sign + prefix + digits, width, ' ', isLeft ? '<' : '>');
    }
}
