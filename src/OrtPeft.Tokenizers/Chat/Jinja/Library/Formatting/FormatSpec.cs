using System.Numerics;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library.Formatting;

/// <summary>
/// The part after the colon of a replacement field: <c>[[fill]align][sign][#][0][width][,][.n][type]</c>.
/// </summary>
internal sealed class FormatSpec
{
    private const int DefaultPrecision = 6;

    private readonly string _fill = " ";
    private readonly char? _align;
    private readonly char _sign = '-';
    private readonly bool _isAlternate;
    private readonly int _width;
    private readonly char? _grouping;
    private readonly int? _precision;
    private readonly char? _kind;

    private FormatSpec(string spec)
    {
        var at = 0;
        var fill = spec.Length > 0 && char.IsSurrogate(spec[0]) ? 2 : 1;
        if (spec.Length > fill && "<>=^".Contains(spec[fill], StringComparison.Ordinal))
            (_fill, _align, at) = (spec[..fill], spec[fill], fill + 1);
        else if (spec.Length > 0 && "<>=^".Contains(spec[0], StringComparison.Ordinal))
            (_align, at) = (spec[0], 1);
        if (at < spec.Length && spec[at] is '+' or '-' or ' ')
            _sign = spec[at++];
        if (at < spec.Length && spec[at] == '#')
            (_isAlternate, at) = (true, at + 1);
        if (at < spec.Length && spec[at] == '0' && _align is null)
            (_fill, _align, at) = ("0", '=', at + 1);
        _width = Number(spec, ref at) ?? 0;
        if (at < spec.Length && spec[at] is ',' or '_')
            _grouping = spec[at++];
        if (at < spec.Length && spec[at] == '.')
        {
            at++;
            _precision = Number(spec, ref at) ?? throw new JinjaException("Format specifier missing precision");
        }

        if (at < spec.Length)
            _kind = spec[at++];
        if (at < spec.Length)
            throw new JinjaException("Invalid format specifier");
    }

    public static string Apply(object? value, string spec)
    {
        if (spec.Length == 0)
            return Display.Text(value);
        return value switch
        {
            string text => new FormatSpec(spec).OfText(text),
            bool or BigInteger => new FormatSpec(spec).OfWhole(Whole.Of(value)),
            double number => new FormatSpec(spec).OfFloat(number),
            _ => throw new JinjaException($"unsupported format string passed to {TypeNames.Of(value)}.__format__"),
        };
    }

    private static int? Number(string spec, ref int at)
    {
        var start = at;
        while (at < spec.Length && char.IsAsciiDigit(spec[at]))
            at++;
        return at == start ? null : Padding.Width(spec[start..at]);
    }

    private string OfText(string text)
    {
        if (_kind is not (null or 's'))
            throw Unknown("str");
        if (_sign != '-' || _isAlternate)
            throw new JinjaException("Sign not allowed in string format specifier");
        if (_align == '=' && _fill != "0")
            throw new JinjaException("'=' alignment not allowed in string format specifier");
        var shown = _precision is { } limit ? text[..PythonText.IndexOf(text, limit)] : text;
        return Padding.Pad(shown, _width, _fill, _align is null or '=' ? '<' : _align.Value);
    }

    private string OfWhole(BigInteger value)
    {
        switch (_kind)
        {
            case null or 'd' or 'n':
                return Signed(Grouped(NumberText.OfWhole(value, 10, isUpper: false), 3), "", value.Sign < 0);
            case 'x' or 'X':
                return Radix(value, 16);
            case 'o':
                return Radix(value, 8);
            case 'b':
                return Radix(value, 2);
            case 'c':
                return Padding.Pad(char.ConvertFromUtf32((int)value), _width, _fill, _align ?? '<');
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or '%':
                return OfFloat(Arithmetic.ToFloat(value));
            default:
                throw Unknown("int");
        }
    }

    private string Radix(BigInteger value, int radix)
    {
        var digits = Grouped(NumberText.OfWhole(value, radix, isUpper: _kind == 'X'), 4);
        return Signed(digits, _isAlternate ? $"0{_kind}" : "", value.Sign < 0);
    }

    private string OfFloat(double value)
    {
        var digits = _kind switch
        {
            null when _precision is null => FloatText.Repr(Math.Abs(value)),
            null => throw new JinjaException("a precision needs a type here, such as .2f"),
            'f' or 'F' or 'e' or 'E' or 'g' or 'G' =>
                NumberText.OfFloat(value, _kind.Value, _precision ?? DefaultPrecision, _isAlternate),
            '%' => NumberText.OfFloat(value * 100, 'f', _precision ?? DefaultPrecision, _isAlternate) + "%",
            _ => throw Unknown("float"),
        };
        return Signed(Grouped(digits, 3), "", double.IsNegative(value) && !double.IsNaN(value));
    }

    private string Grouped(string digits, int size)
    {
        if (_grouping is not { } mark)
            return digits;
        var whole = digits.TakeWhile(char.IsAsciiLetterOrDigit).TakeWhile(static c => c != 'e').Count();
        var parts = new List<string>();
        for (var end = whole; end > 0; end -= size)
            parts.Insert(0, digits[Math.Max(0, end - size)..end]);
        if (_fill == "0" && _align == '=' && _width > digits.Length)
            throw new JinjaException("zeros with a separator are not supported in a format");
        return string.Join(mark, parts) + digits[whole..];
    }

    private string Signed(string digits, string prefix, bool isNegative)
    {
        var sign = (isNegative ? "-" : _sign == '-' ? "" : _sign.ToString()) + prefix;
        return _align == '='
            ? sign + Padding.Pad(digits, _width - sign.Length, _fill, '>')
            : Padding.Pad(sign + digits, _width, _fill, _align ?? '>');
    }

    private JinjaException Unknown(string type) =>
        new($"Unknown format code '{_kind}' for object of type '{type}'");
}
