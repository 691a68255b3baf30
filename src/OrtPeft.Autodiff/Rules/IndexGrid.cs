using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Autodiff.Rules;

/// <summary>
/// The gradient of any operator that only moves elements: applied to a grid of element numbers instead of the elements,
/// it tells where each result came from, and the gradient is added back there.
/// </summary>
internal static class IndexGrid
{
    /// <summary>Adds the upstream gradient at the places that the results came from.</summary>
    /// <param name="c">The node.</param>
    /// <param name="move">Applies the operator to the grid; results that come from no element must be −1.</param>
    /// <param name="fills">Whether there are such results.</param>
    /// <returns>The gradient of the first input.</returns>
    public static Value Return(RuleContext c, Func<Value, Value> move, bool fills = false)
    {
        var (g, x) = (c.G, c.X());
        var shape = g.Shape(x);
        var size = g.Term(g.Op("Size", x));
        var numbers = g.Op("Range", g.Int64Scalar(0), size, g.Int64Scalar(1));
        var grid = g.ReshapeTo(numbers, shape);
        var sources = Reshape(g.Term(move(grid)), -1);
        var length = Reshape(fills ? size + 1 : size, 1);
        if (fills)
            sources = Where(sources < 0, size, sources);
        var zeros = g.Op("Expand", g.ScalarLike(c.DY, 0), length);
        var added = g.Op(
            "ScatterElements",
            [zeros, sources, Reshape(c.DY, -1)],
            NodeAttribute.Of("axis", 0L),
            NodeAttribute.Of("reduction", "add"));
        var flat = fills ? g.Op("Slice", added, g.Int64(0), Reshape(size, 1)) : added;
        return g.ReshapeTo(flat, shape);
    }

    /// <summary>Applies the node's own operator to the grid in place of its first input.</summary>
    /// <param name="c">The node.</param>
    /// <param name="grid">The grid.</param>
    /// <returns>The moved grid.</returns>
    public static Value Same(RuleContext c, Value grid) =>
        c.G.Ops(c.Node.OpType, 1, [grid, .. c.Node.Inputs.Skip(1)], [.. c.Node.Attributes])[0];
}
