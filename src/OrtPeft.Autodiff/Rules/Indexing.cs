using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Autodiff.Rules;

/// <summary>
/// Operators that pick elements by index. Their gradients add up where an element was picked more than once.
/// </summary>
internal static class Indexing
{
    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows { get; } =
    [
        (("Gather", 1), Gather),
        (("GatherElements", 11), static c =>
            [ScatterAdd(c, c.X(0), c.X(1), c.DY, c.Axis(0, c.Rank(c.X(0)))), null]),
        (("GatherND", 11), static c => [IndexGrid.Return(c, grid => IndexGrid.Same(c, grid)), null]),
        (("ScatterElements", 11), static c => Scatter(c, "GatherElements")),
        (("ScatterND", 11), static c => Scatter(c, "GatherND")),
        (("TopK", 11), TopK),
    ];

    /// <summary>
    /// The indices become one axis, are repeated over the other axes, and the gradient is added into zeros at them.
    /// Negative indices count from the end here as there. Slices that were surely picked once are written, which needs
    /// no sums: ONNX Runtime adds one number after the other.
    /// </summary>
    private static IReadOnlyList<Value?> Gather(RuleContext c)
    {
        var (data, indices) = (c.X(0), c.X(1));
        var (rank, axis) = (c.Rank(data), c.Axis(0, c.Rank(data)));
        if (axis == 0 && DistinctIndices.Are(indices))
            return [c.G.Op("ScatterND", c.ZerosLike(data), c.G.Unsqueeze(indices, 1), c.DY), null];
        var shape = c.G.Shape(data);
        var before = c.G.Op("Slice", shape, c.G.Int64(0), c.G.Int64(axis));
        var after = c.G.Op("Slice", shape, c.G.Int64(axis + 1), c.G.Int64(rank));
        var count = c.G.Reshape(c.G.Op("Size", indices), 1);
        var flatShape = c.G.Concat(0, before, count, after);
        var flat = c.G.ReshapeTo(c.DY, flatShape);
        var column = Enumerable.Repeat(1L, rank).ToArray();
        column[axis] = -1;
        var spread = c.G.Expand(c.G.Reshape(indices, column), flatShape);
        return [ScatterAdd(c, data, spread, flat, axis), null];
    }

    /// <summary>
    /// The updates' gradient is what stands at their places; the data's is the rest: without a reduction the places
    /// that were written over get none. Places written twice without a reduction have no defined result, and no
    /// gradient.
    /// </summary>
    private static IReadOnlyList<Value?> Scatter(RuleContext c, string gather)
    {
        var reduction = c.Node.Attributes.String("reduction", "none");
        if (reduction is not ("none" or "add"))
            throw new UnsupportedOpException(
                $"{c.Node}: the gradient of reduction '{reduction}' is not known; use none or add.");
        var attributes = c.Node.Attributes.Where(static a => a.Name == "axis").ToArray();
        var updates = c.G.Ops(gather, 1, [c.DY, c.X(1)], attributes)[0];
        var data = reduction == "add"
            ? c.DY
            : c.G.Ops(c.Node.OpType, 1, [c.DY, c.X(1), c.ZerosLike(c.X(2))], attributes)[0];
        return [data, null, updates];
    }

    /// <summary>The elements that were taken get the gradient at their places; the places themselves have none.</summary>
    private static IReadOnlyList<Value?> TopK(RuleContext c) =>
        [ScatterAdd(c, c.X(0), c.Node.Outputs[1], c.DY, c.Axis(-1, c.Rank(c.X(0)))), null];

    private static Value ScatterAdd(RuleContext c, Value data, Value indices, Value updates, long axis) =>
        c.G.Op(
            "ScatterElements",
            [c.ZerosLike(data), indices, updates],
            NodeAttribute.Of("axis", axis),
            NodeAttribute.Of("reduction", "add"));
}
