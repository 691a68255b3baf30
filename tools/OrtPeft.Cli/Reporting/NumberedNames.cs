using System.Globalization;
using System.Text.RegularExpressions;

namespace OrtPeft.Cli.Reporting;

/// <summary>Names that differ in numbers alone, written as one: <c>transformer.h.{0..11}.attn.c_attn</c>.</summary>
internal static partial class NumberedNames
{
    /// <summary>The name with every number taken out; equal for names that belong together.</summary>
    public static string PatternOf(string name) => Number().Replace(name, "#");

    /// <summary>Puts numbers, or their range, back into the pattern.</summary>
    /// <param name="names">Names of one pattern, at least one.</param>
    /// <returns>All of them as one.</returns>
    public static string Join(IReadOnlyList<string> names)
    {
        var numbers = names.Select(NumbersIn).ToArray();
        var place = 0;
        return Regex.Replace(PatternOf(names[0]), "#", _ =>
        {
            var values = numbers.Select(n => n[place]).Distinct().Order().ToArray();
            place++;
            return values.Length == 1 ? values[0].ToString(CultureInfo.InvariantCulture) : Range(values);
        });
    }

    private static string Range(long[] values) => values[^1] - values[0] == values.Length - 1
        ? $"{{{values[0]}..{values[^1]}}}"
        : $"{{{string.Join(',', values)}}}";

    private static long[] NumbersIn(string name) =>
        [.. Number().Matches(name).Select(static match => long.Parse(match.Value, CultureInfo.InvariantCulture))];

    /// <summary>A part of the path that is a number; short enough to be one.</summary>
    [GeneratedRegex(@"(?<=^|\.)\d{1,9}(?=\.|$)")]
    private static partial Regex Number();
}
