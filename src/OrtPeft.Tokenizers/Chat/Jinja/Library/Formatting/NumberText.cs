using System.Globalization;
using System.Numerics;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library.Formatting;

/// <summary>The digits of a number in one of Python's presentations, without its sign.</summary>
internal static class NumberText
{
    private const int LongestPrecision = 10_000;

    public static string OfFloat(double value, char kind, int precision, bool isAlternate)
    {
        if (precision > LongestPrecision)
            throw new JinjaException($"a precision of {precision}; at most {LongestPrecision} is allowed");
        var text = !double.IsFinite(value) ? (double.IsNaN(value) ? "nan" : "inf")
            : char.ToLowerInvariant(kind) switch
            {
                'f' => WithPoint(ExactDecimal.Fixed(value, precision), isAlternate),
                'e' => Scientific(value, precision, isAlternate),
                _ => General(value, Math.Max(1, precision), isAlternate),
            };
        return char.IsUpper(kind) ? text.ToUpperInvariant() : text;
    }

    public static string OfWhole(BigInteger value, int radix, bool isUpper)
    {
        var rest = BigInteger.Abs(value);
        if (radix == 10)
            return Whole.Text(rest);
        if (rest.IsZero)
            return "0";
        var alphabet = isUpper ? "0123456789ABCDEF" : "0123456789abcdef";
        var reversed = new List<char>();
        for (; !rest.IsZero; rest /= radix)
            reversed.Add(alphabet[(int)(rest % radix)]);
        reversed.Reverse();
        return string.Concat(reversed);
    }

    private static string WithPoint(string digits, bool isAlternate) =>
        isAlternate && !digits.Contains('.', StringComparison.Ordinal) ? digits + "." : digits;

    private static string Scientific(double value, int precision, bool isAlternate)
    {
        var (mantissa, exponent) = ExactDecimal.Scientific(value, precision);
        return WithPoint(mantissa, isAlternate) + Exponent(exponent);
    }

    private static string General(double value, int precision, bool isAlternate)
    {
        var (mantissa, exponent) = ExactDecimal.Scientific(value, precision - 1);
        var isFixed = exponent >= -4 && exponent < precision;
        var digits = isFixed ? ExactDecimal.Fixed(value, precision - 1 - exponent) : mantissa;
        if (isAlternate)
            digits = WithPoint(digits, isAlternate);
        else if (digits.Contains('.', StringComparison.Ordinal))
            digits = digits.TrimEnd('0').TrimEnd('.');
        return isFixed ? digits : digits + Exponent(exponent);
    }

    private static string Exponent(int exponent) =>
        string.Create(CultureInfo.InvariantCulture, $"e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
}
