using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Autodiff.Rules;

/// <summary>
/// Einsum whose operands name each of their axes once: products, sums, transposes, no diagonals, no ellipsis.
/// </summary>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__Einsum.html">Einsum, opset 12.</seealso>
internal static class Einsum
{
    public static GradientRule Rule { get; } = static c =>
    {
        var equation = c.Node.Attributes.String("equation", "").Replace(" ", "", StringComparison.Ordinal);
        var sides = equation.Split("->");
        var terms = sides[0].Split(',');
        var output = sides.Length == 2 ? sides[1] : ImplicitOutput(sides[0]);
        var hasEllipsis = equation.Contains('.', StringComparison.Ordinal);
        if (hasEllipsis || terms.Append(output).Any(static t => t.Distinct().Count() != t.Length))
            throw new UnsupportedOpException(
                $"{c.Node}: the gradient of '{equation}' is not known; write it without ellipsis and diagonals.");
        return [.. terms.Select((_, i) => Gradient(c, terms, output, i))];
    };

    /// <summary>
    /// Einsum of the upstream gradient and the other operands. Axes that only this operand has were summed away; the
    /// gradient repeats along them.
    /// </summary>
    private static Value Gradient(RuleContext c, string[] terms, string output, int operand)
    {
        var others = terms.Index().Where(t => t.Index != operand).ToArray();
        var known = string.Concat(others.Select(static t => t.Item).Prepend(output));
        var isKept = terms[operand].Select(a => known.Contains(a, StringComparison.Ordinal)).ToArray();
        var kept = string.Concat(terms[operand].Where((_, axis) => isKept[axis]));
        var equation = $"{string.Join(',', others.Select(static t => t.Item).Prepend(output))}->{kept}";
        Value?[] inputs = [c.DY, .. others.Select(t => c.X(t.Index))];
        var gradient = c.G.Op("Einsum", inputs, NodeAttribute.Of("equation", equation));
        long[] missing = [.. isKept.Index().Where(static a => !a.Item).Select(static a => (long)a.Index)];
        return missing.Length == 0 ? gradient : c.G.Expand(c.G.Unsqueeze(gradient, missing), c.G.Shape(c.X(operand)));
    }

    /// <summary>Without an arrow, the axes that stand once, in alphabetical order.</summary>
    private static string ImplicitOutput(string inputs)
    {
        var axes = inputs.Where(static a => a != ',').GroupBy(static a => a);
        return string.Concat(axes.Where(static g => g.Count() == 1).Select(static g => g.Key).Order());
    }
}
