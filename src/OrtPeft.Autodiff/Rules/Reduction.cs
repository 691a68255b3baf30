using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Autodiff.Rules;

/// <summary>Reductions, with the axes as second input (the form of opset 18; ReduceSum's since 13).</summary>
internal static class Reduction
{
    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows { get; } =
    [
        (("ReduceSum", 13), static c => c.PadToInputs(Spread(c, c.DY))),
        (("ReduceMean", 18), static c => c.PadToInputs(Spread(c, c.DY * PerElement(c)))),
        (("ReduceSumSquare", 18), static c => c.PadToInputs(Spread(c, 2 * c.DY) * c.X())),
        (("ReduceL1", 18), static c => c.PadToInputs(Spread(c, c.DY) * Sign(c.X()))),
        (("ReduceL2", 18), ReduceL2),
        (("ReduceLogSum", 18), static c => c.PadToInputs(Spread(c, c.DY * Exp(-c.Y)))),
        (("ReduceLogSumExp", 18), static c =>
            c.PadToInputs(Spread(c, c.DY) * Exp(c.X() - Spread(c, c.Y)))),
        (("ReduceMax", 18), Extremum),
        (("ReduceMin", 18), Extremum),
        (("CumSum", 11), CumSum),
    ];

    /// <summary>Repeats a reduced gradient along the axes that were reduced.</summary>
    private static Term Spread(RuleContext c, Term reduced)
    {
        var kept = c.Node.Attributes.Int("keepdims", 1) != 0;
        var axes = Axes(c);
        var aligned = kept || axes.Length == 0 ? reduced : Unsqueeze(reduced, axes);
        return c.G.Term(c.G.Expand(aligned, c.G.Shape(c.X())));
    }

    /// <summary>d‖x‖/dx = x/‖x‖, taken as 0 at the origin.</summary>
    private static IReadOnlyList<Value?> ReduceL2(RuleContext c)
    {
        var perLength = c.DY / Where(Equal(c.Y, 0), 1, c.Y);
        return c.PadToInputs(Spread(c, perLength) * c.X());
    }

    /// <summary>The gradient goes to the largest (smallest) elements; those that tie share it, as in PyTorch.</summary>
    private static IReadOnlyList<Value?> Extremum(RuleContext c)
    {
        var taken = Cast(Equal(c.X(), Spread(c, c.Y)), c.DY.Type);
        var axes = Axes(c);
        var ties = axes.Length == 0 ? taken : Sum(taken, axes);
        return c.PadToInputs(Spread(c, c.DY) * taken / ties);
    }

    /// <summary>Each element counts in every later sum: the gradients are summed from the other end.</summary>
    private static IReadOnlyList<Value?> CumSum(RuleContext c)
    {
        var reversed = NodeAttribute.Of("reverse", 1 - c.Node.Attributes.Int("reverse", 0));
        var exclusive = NodeAttribute.Of("exclusive", c.Node.Attributes.Int("exclusive", 0));
        return [c.G.Op("CumSum", [c.DY, c.X(1)], reversed, exclusive), null];
    }

    /// <summary>One over the number of elements in each mean: a constant where the axes are known.</summary>
    private static Term PerElement(RuleContext c)
    {
        var shape = c.ShapeOf(c.X());
        var axes = Axes(c);
        if (axes.All(a => shape[(int)a].Value is not null))
            return c.DY.Number(1.0 / axes.Aggregate(1L, (product, a) => product * shape[(int)a].Value!.Value));
        var lengths = c.G.Gather(c.G.Shape(c.X()), c.G.Int64(axes));
        var count = c.G.Op("ReduceProd", [lengths], NodeAttribute.Of("keepdims", 0L));
        return Reciprocal(Cast(c.G.Term(count), c.DY.Type));
    }

    private static long[] Axes(RuleContext c)
    {
        var rank = c.Rank(c.X());
        var given = c.ConstantInput(1) ?? [];
        if (given.Length > 0)
            return [.. given.Select(a => c.FromFront(a, rank)).Order()];
        var isNoop = c.Node.Attributes.Int("noop_with_empty_axes", 0) != 0;
        return isNoop ? [] : [.. Enumerable.Range(0, rank).Select(static a => (long)a)];
    }
}
