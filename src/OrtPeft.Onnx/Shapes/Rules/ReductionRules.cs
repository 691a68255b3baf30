using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Operators that fold axes away, or that run along one.</summary>
internal static class ReductionRules
{
    public static IEnumerable<ShapeRow> Rows =>
    [
        .. ShapeRow.Each(1, 2, static c => Reduce(c), Folds).Select(static row => row with { Integers = [1] }),
        new("ReduceSum", 1, 2, static c => Reduce(c, IntegerData.Add)) { Integers = [1] },
        new("ReduceProd", 1, 2, static c => Reduce(c, IntegerData.Multiply)) { Integers = [1] },
        new("ReduceMax", 1, 2, static c => Reduce(c, IntegerData.Max)) { Integers = [1] },
        new("ReduceMin", 1, 2, static c => Reduce(c, IntegerData.Min)) { Integers = [1] },
        .. ShapeRow.Each(1, 1, Arg, "ArgMax", "ArgMin"),
        .. ShapeRow.Each(1, 1, Along, "Softmax", "LogSoftmax", "Hardmax"),
        new("CumSum", 2, 2, CumSum) { Integers = [1] },
        new("TopK", 1, 2, TopK) { Integers = [1], MinOutputs = 2 },
    ];

    private static IEnumerable<string> Folds =>
        ["ReduceMean", "ReduceLogSumExp", "ReduceLogSum", "ReduceL1", "ReduceL2", "ReduceSumSquare"];

    private static void Reduce(
        ShapeContext c, Func<SymbolicInteger?, SymbolicInteger?, SymbolicInteger?>? fold = null)
    {
        var keep = c.Attributes.Int("keepdims", 1) != 0;
        var given = c.Attributes.Contains("axes") || c.Has(1);
        var named = given ? c.NumbersOf("axes", 1) : [];
        c.Set(0, c.TypeOf(0), Reduced(c, named, keep));
        var foldsAll = named is not null && (named.Length > 0 || c.Attributes.Int("noop_with_empty_axes", 0) == 0);
        if (fold is not null && foldsAll && c.DataOf(0) is { Count: > 0 } data)
            c.SetData([data.Aggregate(fold)]);
    }

    private static Shape? Reduced(ShapeContext c, long[]? named, bool keep)
    {
        if (c.ShapeOf(0) is not { } shape)
            return named is [] && !keep && c.Attributes.Int("noop_with_empty_axes", 0) == 0 ? Shape.Scalar : null;
        if (named is null)
            return keep ? ShapeContext.Unknown(shape.Rank) : RankWithout(c, shape);
        if (named.Length == 0 && c.Attributes.Int("noop_with_empty_axes", 0) != 0)
            return shape;
        var axes = named.Length == 0 ? [.. Enumerable.Range(0, shape.Rank)] : c.Axes(named, shape.Rank);
        return keep
            ? Shape.Create([.. shape.Select((d, i) => axes.Contains(i) ? 1 : d)])
            : Shape.Create([.. shape.Where((_, i) => !axes.Contains(i))]);
    }

    private static Shape? RankWithout(ShapeContext c, Shape shape) =>
        c.AxesIn(1) is { } axes && axes.Rank <= shape.Rank && axes.Rank > 0
            ? ShapeContext.Unknown(shape.Rank - axes.Rank)
            : null;

    private static void Arg(ShapeContext c)
    {
        var shape = c.ShapeOf(0) is null ? null : Reduced(
            c, [c.Attributes.Int("axis", 0)], c.Attributes.Int("keepdims", 1) != 0);
        c.Set(0, ElementType.Int64, shape);
    }

    private static void Along(ShapeContext c)
    {
        if (c.ShapeOf(0) is { } shape)
            CheckAxis(c, c.Attributes.Int("axis", c.Opset >= 13 ? -1 : 1), shape.Rank);
        ElementwiseRules.Like(c);
    }

    private static void CheckAxis(ShapeContext c, long axis, int rank)
    {
        // Before opset 13 the axis only says where to flatten, and may be the rank itself.
        if (axis != rank || c.Opset >= 13)
            c.Axis(axis, rank);
    }

    private static void CumSum(ShapeContext c)
    {
        if (c.NumberOf(1) is { } axis && c.ShapeOf(0) is { } shape)
            c.Axis(axis, shape.Rank);
        ElementwiseRules.Like(c);
    }

    private static void TopK(ShapeContext c)
    {
        Shape? shape = null;
        if (c.ShapeOf(0) is { } input)
        {
            var axis = c.Axis(c.Attributes.Int("axis", -1), input.Rank);
            var k = c.Attributes.Contains("k") ? c.Attributes.Int("k", 0) : c.LengthIn(1);
            shape = Shape.Create([.. input.Select((d, i) => i == axis ? k : d)]);
        }

        c.Set(0, c.TypeOf(0), shape);
        c.Set(1, ElementType.Int64, shape);
    }
}
