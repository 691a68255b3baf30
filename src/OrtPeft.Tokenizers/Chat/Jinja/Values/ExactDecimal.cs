using System.Globalization;
using System.Numerics;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>Floats in decimal without an error on the way: rounded once, halves to the even digit.</summary>
internal static class ExactDecimal
{
    private const int MantissaBits = 52;
    private const int ExponentBias = 1075;
    private const int QuotientBits = 63;

    /// <summary>|value| · 10^digits as a whole number.</summary>
    public static BigInteger Scaled(double value, int digits)
    {
        var (mantissa, exponent) = Parts(value);
        var upper = mantissa * BigInteger.Pow(10, Math.Max(0, digits)) << Math.Max(0, exponent);
        var lower = BigInteger.Pow(10, Math.Max(0, -digits)) << Math.Max(0, -exponent);
        var quotient = BigInteger.DivRem(upper, lower, out var rest);
        var half = (rest << 1).CompareTo(lower);
        return half > 0 || (half == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    /// <summary>|value| with a number of digits after the point.</summary>
    public static string Fixed(double value, int digits)
    {
        var all = Scaled(value, digits).ToString(CultureInfo.InvariantCulture).PadLeft(digits + 1, '0');
        return digits == 0 ? all : $"{all[..^digits]}.{all[^digits..]}";
    }

    /// <summary>|value| as d.ddd and the power of ten that goes with it.</summary>
    public static (string Mantissa, int Exponent) Scientific(double value, int digits)
    {
        if (value == 0)
            return (Fixed(0, digits), 0);
        var exponent = (int)Math.Floor(Math.Log10(Math.Abs(value)));
        var scaled = Scaled(value, digits - exponent);
        var least = BigInteger.Pow(10, digits);
        while (scaled < least)
            scaled = Scaled(value, digits - --exponent);
        while (scaled >= least * 10)
            scaled = Scaled(value, digits - ++exponent);
        var all = scaled.ToString(CultureInfo.InvariantCulture);
        return (digits == 0 ? all : $"{all[..1]}.{all[1..]}", exponent);
    }

    /// <summary>A value rounded to digits after the point, or before it when negative.</summary>
    public static double Round(double value, int digits)
    {
        if (!double.IsFinite(value) || digits > 400)
            return value;
        if (digits < -400)
            return 0 * value;
        var scaled = Scaled(value, digits);
        var rounded = digits >= 0
            ? Quotient(scaled, BigInteger.Pow(10, digits))
            : Quotient(scaled * BigInteger.Pow(10, -digits), BigInteger.One);
        return Math.CopySign(rounded, value);
    }

    /// <summary>The float nearest to a quotient; infinite where it is beyond all.</summary>
    public static double Quotient(BigInteger left, BigInteger right)
    {
        if (left.IsZero)
            return 0;
        var upper = BigInteger.Abs(left);
        var lower = BigInteger.Abs(right);
        var shift = (int)(QuotientBits + lower.GetBitLength() - upper.GetBitLength());
        var quotient = BigInteger.DivRem(
            upper << Math.Max(0, shift), lower << Math.Max(0, -shift), out var rest);
        var bits = (ulong)quotient | (rest.IsZero ? 0u : 1u); // the last bit says that there is more
        var value = Math.ScaleB((double)bits, -shift);
        return left.Sign < 0 != right.Sign < 0 ? -value : value;
    }

    private static (BigInteger Mantissa, int Exponent) Parts(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)(bits >> MantissaBits) & 0x7FF;
        var mantissa = bits & ((1L << MantissaBits) - 1);
        return exponent == 0
            ? (mantissa, 1 - ExponentBias)
            : (mantissa | (1L << MantissaBits), exponent - ExponentBias);
    }
}
