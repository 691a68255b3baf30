using System.Globalization;
using System.Numerics;

namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

/// <summary>Whole numbers (decimal, 0b, 0o, 0x) and fractions, with underscores between digits.</summary>
internal static class NumberLiteral
{
    private const int LongestNumber = 4300; // digits; Python reads no longer ones either

    /// <summary>The number at a place, or null where none begins.</summary>
    public static (object Value, int Length)? Read(string source, int start, bool allowsFraction)
    {
        if (!IsDigit(source, start, 10))
            return null;
        if (allowsFraction && FractionEnd(source, start) is { } end)
        {
            var text = Plain(source, start, end);
            return (double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture), end - start);
        }

        var radix = Radix(source, start);
        if (radix != 10)
            return ReadRadix(source, start, radix);
        var last = source[start] == '0' ? Zeros(source, start) : Digits(source, start, 10);
        return (BigInteger.Parse(Plain(source, start, last), CultureInfo.InvariantCulture), last - start);
    }

    private static (object Value, int Length) ReadRadix(string source, int start, int radix)
    {
        var first = start + 2 + (source[start + 2] == '_' ? 1 : 0);
        var end = Digits(source, first, radix);
        var value = BigInteger.Zero;
        foreach (var digit in Plain(source, first, end))
            value = (value * radix) + Convert.ToInt32(digit.ToString(), 16);
        return (value, end - start);
    }

    private static int Radix(string source, int start)
    {
        if (source[start] != '0' || start + 2 >= source.Length)
            return 10;
        var radix = char.ToLowerInvariant(source[start + 1]) switch { 'b' => 2, 'o' => 8, 'x' => 16, _ => 10 };
        var digit = start + 2 + (source[start + 2] == '_' ? 1 : 0);
        return radix != 10 && IsDigit(source, digit, radix) ? radix : 10;
    }

    private static int? FractionEnd(string source, int start)
    {
        var at = Digits(source, start, 10);
        var isFraction = false;
        if (at < source.Length && source[at] == '.' && IsDigit(source, at + 1, 10))
        {
            at = Digits(source, at + 1, 10);
            isFraction = true;
        }

        if (at < source.Length && source[at] is 'e' or 'E')
        {
            var digit = at + 1;
            if (digit < source.Length && source[digit] is '+' or '-')
                digit++;
            if (IsDigit(source, digit, 10))
                return Digits(source, digit, 10);
        }

        return isFraction ? at : null;
    }

    private static int Zeros(string source, int start)
    {
        var at = start;
        while (at < source.Length && (source[at] == '0' || (source[at] == '_' && IsZero(source, at + 1))))
            at++;
        return at;
    }

    private static bool IsZero(string source, int at) => at < source.Length && source[at] == '0';

    private static int Digits(string source, int start, int radix)
    {
        var at = start;
        while (IsDigit(source, at, radix) || (at > start && At(source, at) == '_' && IsDigit(source, at + 1, radix)))
            at++;
        return at - start <= LongestNumber
            ? at
            : throw new JinjaException($"A number of more than {LongestNumber} digits", JinjaFailure.Syntax);
    }

    private static char At(string source, int at) => at < source.Length ? source[at] : '\0';

    private static bool IsDigit(string source, int at, int radix) => At(source, at) switch
    {
        >= '0' and <= '9' and var c => c - '0' < radix,
        (>= 'a' and <= 'f') or (>= 'A' and <= 'F') => radix == 16,
        _ => false,
    };

    private static string Plain(string source, int start, int end) =>
        source[start..end].Replace("_", "", StringComparison.Ordinal);
}
