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
        var (digits, exponent) = Digits(value);
        var sign = double.IsNegative(value) ? "-" : "";
        if (exponent is < LeastExponent or >= MostExponent)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            var power = Math.Abs(exponent).ToString("00", Culture);
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{power}";
        }

        if (exponent < 0)
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        var whole = exponent + 1;
        return digits.Length <= whole
            ? $"{sign}{digits.PadRight(whole, '0')}.0"
            : $"{sign}{digits[..whole]}.{digits[whole..]}";
    }

    /// <summary>The shortest digits d₁d₂… and the exponent of d₁.d₂… for a finite number.</summary>
    private static (string Digits, int Exponent) Digits(double value)
    {
        var shortest = Math.Abs(value).ToString("R", Culture);
        var mark = shortest.IndexOf('E', StringComparison.Ordinal);
        var mantissa = mark < 0 ? shortest : shortest[..mark];
        var power = mark < 0 ? 0 : int.Parse(shortest.AsSpan(mark + 1), NumberStyles.Integer, Culture);
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? mantissa.Length : point;
        var all = mantissa.Replace(".", "", StringComparison.Ordinal);
        var digits = all.TrimStart('0');
        var exponent = whole - 1 - (all.Length - digits.Length) + power;
        return digits.Length == 0 ? ("0", 0) : (digits.TrimEnd('0'), exponent);
    }
}
