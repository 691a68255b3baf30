using OrtPeft.Adapters.Modules;

namespace OrtPeft.Cli.Reporting;

/// <summary>Modules that differ in layer numbers alone, such as <c>transformer.h.{0..11}.attn.c_attn</c>.</summary>
internal static class ModuleGroups
{
    /// <summary>One row of cells per group, in the model's order.</summary>
    public static IEnumerable<string[]> Of(IEnumerable<LinearModule> modules) => modules
        .GroupBy(static m => (
            Pattern: NumberedNames.PatternOf(m.Name), m.InFeatures, m.OutFeatures, WrittenAs(m), BiasOf(m)))
        .Select(static group =>
        {
            var (_, from, to, written, bias) = group.Key;
            var name = NumberedNames.Join([.. group.Select(static m => m.Name)]);
            var isHead = group.Any(static m => m.IsOutputLayer);
            var role = isHead ? "output layer" : Human.Count(group.Count(), "module");
            return new[] { name, $"{from} → {to}", written, bias, role };
        });

    /// <summary>How the weight is stored.</summary>
    public static string LayoutOf(LinearModule module) => module.IsOutByIn ? "[out, in]" : "[in, out]";

    private static string WrittenAs(LinearModule module) => $"{module.Node.OpType} {LayoutOf(module)}";

    private static string BiasOf(LinearModule module) => module.Bias is null ? "no bias" : "bias";
}
