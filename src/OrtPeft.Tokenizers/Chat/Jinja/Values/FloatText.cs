using System.Globalization;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>
/// Floats as Python prints them: the shortest digits that read back, <c>1.0</c>, <c>1e-07</c>, <c>1e+16</c>.
/// </summary>
internal static class FloatText
{
    private const int LeastExponent = -4;
    private const int MostExponent = 16;

    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static string Repr(double value)
    {
        if (double.IsNaN(value))
            return "nan";
        if (double.IsInfinity(value))
            return value > 0 ? "inf" : "-inf";
        (string digits, int exponent) = Digits(value);
        string sign = double.IsNegative(value) ? "-" : "";
        if (exponent is < LeastExponent or >= MostExponent)
        {
            string fraction = digits.Length > 1 ? "." + digits[1..] : "";
            string power = Math.Abs(exponent).ToString("00", Culture);
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{power}";
        }
        if (exponent < 0)
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        int whole = exponent + 1;
        return digits.Length <= whole
            ? $"{sign}{digits.PadRight(whole, '0')}.0"
            : $"{sign}{digits[..whole]}.{digits[whole..]}";
    }

    /// <summary>The shortest digits d₁d₂… and the exponent of d₁.d₂… for a finite number.</summary>
    private static (string Digits, int Exponent) Digits(double value)
    {
        string shortest = Math.Abs(value).ToString("R", Culture);
        int mark = shortest.IndexOf('E', StringComparison.Ordinal);
        string mantissa = mark < 0 ? shortest : shortest[..mark];
        int power = mark < 0 ? 0 : int.Parse(shortest.AsSpan(mark + 1), NumberStyles.Integer, Culture);
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        int whole = point < 0 ? mantissa.Length : point;
        string all = mantissa.Replace(".", "", StringComparison.Ordinal);
        string digits = all.TrimStart('0');
        int exponent = whole - 1 - (all.Length - digits.Length) + power;
        return digits.Length == 0 ? ("0", 0) : (digits.TrimEnd('0'), exponent);
    }
}
