using System.Globalization;
using System.Text.RegularExpressions;
using OrtPeft.Adapters.Modules;

namespace OrtPeft.Cli.Reporting;

/// <summary>Modules that differ in layer numbers alone, such as <c>transformer.h.{0..11}.attn.c_attn</c>.</summary>
internal static partial class ModuleGroups
{
    /// <summary>One row of cells per group, in the model's order.</summary>
    public static IEnumerable<string[]> Of(IEnumerable<LinearModule> modules) => modules
        .GroupBy(static m => (Pattern: Number().Replace(m.Name, "#"), m.InFeatures, m.OutFeatures, LayoutOf(m)))
        .Select(static group =>
        {
            var (pattern, from, to, layout) = group.Key;
            var name = Named(pattern, [.. group.Select(static m => m.Name)]);
            var isHead = group.Any(static m => m.IsOutputLayer);
            var role = isHead ? "output layer" : Human.Count(group.Count(), "module");
            return new[] { name, $"{from} → {to}", layout, role };
        });

    /// <summary>How the weight is stored.</summary>
    public static string LayoutOf(LinearModule module) => module.IsOutByIn ? "[out, in]" : "[in, out]";

    /// <summary>Puts numbers, or their range, back into the pattern.</summary>
    private static string Named(string pattern, string[] names)
    {
        var numbers = names.Select(NumbersIn).ToArray();
        var place = 0;
        return Regex.Replace(pattern, "#", _ =>
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
