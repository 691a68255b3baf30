using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Autodiff.Rules;

/// <summary>Reductions, with the axes as second input (the form of opset 18; ReduceSum's since 13).</summary>
internal static class Reduction
{
    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows { get; } =
    [
        (("ReduceSum", 13), static c => c.PadToInputs(Spread(c, c.DY))),
        (("ReduceMean", 18), static c => c.PadToInputs(Spread(c, c.G.Mul(c.DY, Reciprocal(c))))),
    ];

    /// <summary>Repeats a reduced gradient along the axes that were reduced.</summary>
    private static Value Spread(RuleContext c, Value reduced)
    {
        var kept = c.Node.Attributes.Int("keepdims", 1) != 0;
        var axes = Axes(c);
        var aligned = kept || axes.Length == 0 ? reduced : c.G.Unsqueeze(reduced, axes);
        return c.G.Expand(aligned, c.G.Shape(c.X()));
    }

    /// <summary>One over the number of elements behind each mean: a constant where the axes are known.</summary>
    private static Value Reciprocal(RuleContext c)
    {
        var shape = c.ShapeOf(c.X());
        var axes = Axes(c);
        if (axes.All(a => shape[(int)a].Value is not null))
            return c.G.ScalarLike(c.DY, 1.0 / axes.Aggregate(1L, (product, a) => product * shape[(int)a].Value!.Value));
        var lengths = c.G.Gather(c.G.Shape(c.X()), c.G.Int64(axes));
        var count = c.G.Op("ReduceProd", [lengths], NodeAttribute.Of("keepdims", 0L));
        return c.G.Op("Reciprocal", c.G.Cast(count, c.DY.Type));
    }

    private static long[] Axes(RuleContext c)
    {
        var rank = c.Rank(c.X());
        var given = c.ConstantInput(1) ?? [];
        if (given.Length > 0)
            return [.. given.Select(a => a < 0 ? a + rank : a).Order()];
        var isNoop = c.Node.Attributes.Int("noop_with_empty_axes", 0) != 0;
        return isNoop ? [] : [.. Enumerable.Range(0, rank).Select(static a => (long)a)];
    }
}
