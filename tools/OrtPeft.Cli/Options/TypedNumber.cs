using System.Globalization;
using System.Numerics;

namespace OrtPeft.Cli.Options;

/// <summary>
/// Numbers as people type them, the same in every culture: digits, a decimal point, an exponent, a sign. Separators
/// between groups of digits are refused: who writes 2,5 means another number than 25.
/// </summary>
internal static class TypedNumber
{
    private const NumberStyles Whole = NumberStyles.AllowLeadingSign;
    private const NumberStyles Real = Whole | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
    private const string Separators = ",_' ";

    /// <summary>Reads a finite number that the type can hold; what would become 0 by being too small is none.</summary>
    public static bool TryRead<T>(string text, out T number)
        where T : struct, INumber<T> =>
        T.TryParse(text, IsWhole<T>() ? Whole : Real, CultureInfo.InvariantCulture, out number)
        && T.IsFinite(number)
        && (!T.IsZero(number) || !HasDigitAboveZero(text));

    /// <summary>The kind of number that was expected in place of a text that is none, and how that number is written if
    /// it can be told.</summary>
    public static string Expected<T>(string text)
        where T : struct, INumber<T>
    {
        var kind = IsWhole<T>() ? "a whole number" : "a number";
        string[] meant = [.. Meant(text).Where(static t => TryRead<T>(t, out _)).Distinct()];
        return meant.Length == 0 ? kind : $"{kind}: write {string.Join(" or ", meant)}";
    }

    /// <summary>A single comma is a decimal one or stands between thousands; all other separators group.</summary>
    private static IEnumerable<string> Meant(string text)
    {
        var ungrouped = string.Concat(text.Where(static c => !Separators.Contains(c, StringComparison.Ordinal)));
        var commas = text.Count(static c => c == ',');
        if (commas == 1)
            yield return text.Replace(',', '.');
        var mantissa = text.AsSpan(0, EndOfMantissa(text));
        var isGrouped = commas != 1 || mantissa.LastIndexOf(',') == mantissa.Length - 4;
        if (isGrouped && ungrouped.Length < text.Length)
            yield return ungrouped;
    }

    private static bool HasDigitAboveZero(string text) =>
        text.AsSpan(0, EndOfMantissa(text)).ContainsAnyInRange('1', '9');

    private static int EndOfMantissa(string text)
    {
        var exponent = text.AsSpan().IndexOfAny('e', 'E');
        return exponent < 0 ? text.Length : exponent;
    }

    /// <summary>A half, which whole numbers round to 0, tells the kinds apart.</summary>
    private static bool IsWhole<T>()
        where T : struct, INumber<T> => T.IsInteger(T.One / (T.One + T.One));
}
