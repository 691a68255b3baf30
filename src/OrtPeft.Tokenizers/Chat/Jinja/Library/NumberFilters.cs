using System.Globalization;
using System.Numerics;
using OrtPeft.Tokenizers.Chat.Jinja.Library.Formatting;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>Filters that make numbers, or text of them.</summary>
internal static class NumberFilters
{
    public static IEnumerable<Filter> Rows =>
    [
        new("abs", "x", static b => b[0] is double number ? Math.Abs(number) : BigInteger.Abs(b.BigInteger(0))),
        new("int", "value, default?, base?", ToInt),
        new("float", "value, default?", static b => TryFloat(b[0], out var number) ? number : b.Or(1, 0.0)),
        new("round", "value, precision?, method?", Round),
        new("filesizeformat", "value, binary?", static b => FileSize(Number(b[0]), b.IsTrue(1))),
    ];

    /// <summary>Reads as Python's <c>float()</c>: blanks around, underscores between digits, inf and nan.</summary>
    public static bool TryFloat(object? value, out double number)
    {
        if (value is Undefined undefined)
            throw undefined.Error();
        number = 0;
        if (Equality.IsNumber(value))
        {
            number = Arithmetic.Float(value);
            return true;
        }

        if (value is not string text)
            return false;
        var plain = PythonText.Strip(text).ToLowerInvariant();
        var isOdd = plain.Contains("__", StringComparison.Ordinal) || plain.StartsWith('_') || plain.EndsWith('_');
        var bare = plain.TrimStart('+', '-');
        if (bare is "inf" or "infinity" or "nan" && plain.Length - bare.Length <= 1)
        {
            number = bare == "nan" ? double.NaN : double.PositiveInfinity;
            number = plain[0] == '-' ? -number : number;
            return true;
        }

        const NumberStyles Styles =
            NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        var begins = bare.Length > 0 && (char.IsAsciiDigit(bare[0]) || bare[0] == '.');
        var digits = plain.Replace("_", "", StringComparison.Ordinal);
        return begins && !isOdd && double.TryParse(digits, Styles, CultureInfo.InvariantCulture, out number);
    }

    private static object? ToInt(Bound given)
    {
        var value = given[0];
        if (value is Undefined undefined)
            throw undefined.Error();
        var radix = given.IntegerOr(2, 10);
        if (value is string text && Whole.TryParse(text, radix, out var parsed))
            return parsed;
        if (Whole.TryOf(value, out var whole))
            return whole;
        if (value is double.PositiveInfinity or double.NegativeInfinity)
            throw new JinjaException("cannot convert float infinity to integer");
        return TryFloat(value, out var number) && double.IsFinite(number)
            ? new BigInteger(number)
            : given.Or(1, BigInteger.Zero);
    }

    private static object Round(Bound given)
    {
        var digits = given.IntegerOr(1, 0);
        var method = given.Has(2) ? given.String(2) : "common";
        if (method is not ("common" or "ceil" or "floor"))
            throw new JinjaException("method must be common, ceil or floor");
        if (method == "common" && Whole.TryOf(given[0], out var whole))
            return digits >= 0 ? whole : RoundWhole(whole, digits);
        if (given[0] is not double number)
            number = Whole.TryOf(given[0], out _) ? Arithmetic.Float(given[0]) : throw NotANumber(given[0]);
        if (method == "common")
            return ExactDecimal.Round(number, digits);
        var scale = Math.Pow(10, digits);
        return (method == "ceil" ? Math.Ceiling(number * scale) : Math.Floor(number * scale)) / scale;
    }

    private static BigInteger RoundWhole(BigInteger value, int digits)
    {
        var unit = BigInteger.Pow(10, Math.Min(-digits, 5000));
        var rest = ((value % unit) + unit) % unit;
        var floor = value - rest;
        var half = (rest * 2).CompareTo(unit);
        return half > 0 || (half == 0 && !(floor / unit).IsEven) ? floor + unit : floor;
    }

    private static double Number(object? value) =>
        TryFloat(value, out var number) ? number : throw NotANumber(value);

    private static JinjaException NotANumber(object? value) => value is Undefined undefined
        ? undefined.Error()
        : new JinjaException($"must be real number, not {TypeNames.Of(value)}");

    private static string FileSize(double bytes, bool isBinary)
    {
        double unit = isBinary ? 1024 : 1000;
        if (bytes == 1)
            return "1 Byte";
        if (bytes < unit)
            return $"{Whole.Text(new BigInteger(bytes))} Bytes";
        var power = 1;
        while (power < 8 && bytes >= Math.Pow(unit, power + 1))
            power++;
        var shown = NumberText.OfFloat(unit * bytes / Math.Pow(unit, power + 1), 'f', 1, isAlternate: false);
        return $"{shown} {"kMGTPEZY"[power - 1].ToString().ToUpperInvariant()}{(isBinary ? "iB" : "B")}"
            .Replace(isBinary ? "\0" : " KB", " kB", StringComparison.Ordinal);
    }
}
