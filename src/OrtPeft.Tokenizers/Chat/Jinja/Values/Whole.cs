using System.Globalization;
using System.Numerics;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>Whole numbers, among which Python counts True and False.</summary>
internal static class Whole
{
    private const int LongestText = 4300; // digits; Python writes and reads no longer numbers

    public static bool TryOf(object? value, out BigInteger whole)
    {
        whole = value switch
        {
            bool truth => truth ? 1 : 0,
            BigInteger given => given,
            _ => BigInteger.Zero,
        };
        return value is bool or BigInteger;
    }

    public static BigInteger Of(object? value)
    {
        if (value is Undefined undefined)
            throw undefined.Error();
        return TryOf(value, out var whole)
            ? whole
            : throw new JinjaException($"'{TypeNames.Of(value)}' object cannot be interpreted as an integer");
    }

    /// <summary>A number that counts something; one beyond 32 bits is cut to the largest.</summary>
    public static int Small(object? value) =>
        (int)BigInteger.Max(-int.MaxValue, BigInteger.Min(int.MaxValue, Of(value)));

    public static string Text(BigInteger whole) => whole.GetByteCount() * 2 <= LongestText
        ? whole.ToString(CultureInfo.InvariantCulture)
        : throw new JinjaException($"an integer of more than {LongestText} digits cannot be printed");

    /// <summary>Reads as <c>int(text, radix)</c> does: blanks around, a sign, underscores, 0x and its like.</summary>
    public static bool TryParse(string text, int radix, out BigInteger whole)
    {
        whole = BigInteger.Zero;
        var digits = PythonText.Strip(text);
        var isNegative = digits.StartsWith('-');
        if (isNegative || digits.StartsWith('+'))
            digits = digits[1..];
        var prefix = digits.Length > 1 && digits[0] == '0' ? digits[..2].ToLowerInvariant() : "";
        var written = prefix switch { "0x" => 16, "0o" => 8, "0b" => 2, _ => 0 };
        var isPrefixed = written != 0 && (radix == 0 || radix == written);
        if (isPrefixed)
            digits = digits[2..];
        var used = radix != 0 ? radix : written == 0 ? 10 : written;
        if (isPrefixed && digits.StartsWith('_'))
            digits = digits[1..];
        var isWhole = TryDigits(digits, used, out whole);
        if (isNegative)
            whole = -whole;
        var hasLeadingZero = radix == 0 && written == 0 && digits.Length > 1 && digits[0] == '0' && !whole.IsZero;
        return isWhole && !hasLeadingZero;
    }

    private static bool TryDigits(string digits, int radix, out BigInteger whole)
    {
        whole = BigInteger.Zero;
        var isLoose = digits.Length is 0 or > LongestText || digits.StartsWith('_') || digits.EndsWith('_')
            || digits.Contains("__", StringComparison.Ordinal);
        if (isLoose)
            return false;
        foreach (var c in digits)
        {
            if (c == '_')
                continue;
            var digit = char.IsAsciiLetter(c) ? char.ToLowerInvariant(c) - 'a' + 10 : (int)char.GetNumericValue(c);
            var isDigit = digit >= 0 && digit < radix && (char.IsAsciiLetter(c) || char.IsDigit(c));
            if (!isDigit)
                return false;
            whole = (whole * radix) + digit;
        }

        return true;
    }
}
