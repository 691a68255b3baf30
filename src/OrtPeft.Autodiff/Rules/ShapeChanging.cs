using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Autodiff.Rules;

/// <summary>Operators that move elements without changing them.</summary>
internal static class ShapeChanging
{
    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows { get; } =
    [
        (("Reshape", 5), static c => c.PadToInputs(c.G.ReshapeLike(c.DY, c.X()))),
        (("Flatten", 1), static c => c.PadToInputs(c.G.ReshapeLike(c.DY, c.X()))),
        (("Squeeze", 13), static c => c.PadToInputs(c.G.ReshapeLike(c.DY, c.X()))),
        (("Unsqueeze", 13), static c => c.PadToInputs(c.G.ReshapeLike(c.DY, c.X()))),
        (("Expand", 8), static c => c.PadToInputs(c.DY)),
        (("Transpose", 1), Transpose),
        (("Concat", 4), Concat),
        (("Split", 13), Split),
        (("Tile", 6), Tile),
        (("Trilu", 14), static c => c.PadToInputs(IndexGrid.Same(c, c.DY))),
    ];

    /// <summary>The inverse permutation; without <c>perm</c> the axes were reversed.</summary>
    private static IReadOnlyList<Value?> Transpose(RuleContext c)
    {
        var perm = c.Node.Attributes.Ints("perm");
        if (perm is null)
            return [c.G.Op("Transpose", c.DY)];
        var inverse = new long[perm.Length];
        foreach (var (to, from) in perm.Index())
            inverse[from] = to;
        return [c.G.Transpose(c.DY, inverse)];
    }

    /// <summary>
    /// Each part gets its piece back; the pieces' lengths come from the parts' shapes at run time if need be.
    /// </summary>
    private static IReadOnlyList<Value?> Concat(RuleContext c)
    {
        var axis = c.Axis(0, c.Rank(c.DY));
        var parts = c.Node.Inputs.Select((_, i) => c.X(i)).ToArray();
        var known = parts.Select(p => p.Shape?[(int)axis].Value).ToArray();
        if (known.All(static k => k is not null))
            return [.. c.G.Split(c.DY, axis, [.. known.Select(static k => k!.Value)])];
        var lengths = parts.Select(p => c.G.Gather(c.G.Shape(p), c.G.Int64(axis))).ToArray();
        return [.. c.G.Ops("Split", parts.Length, [c.DY, c.G.Concat(0, lengths)], [NodeAttribute.Of("axis", axis)])];
    }

    /// <summary>The pieces' gradients side by side, zeros for pieces that the loss does not depend on.</summary>
    private static IReadOnlyList<Value?> Split(RuleContext c)
    {
        var gradients = c.Node.Outputs.Select((o, i) => c.Upstream(i) ?? c.ZerosLike(o)).ToArray();
        return c.PadToInputs(c.G.Concat(c.Node.Attributes.Int("axis", 0), gradients));
    }

    /// <summary>Each axis of the gradient becomes (repeat, length), and the repeats are summed.</summary>
    private static IReadOnlyList<Value?> Tile(RuleContext c)
    {
        var rank = c.Rank(c.X());
        var shape = c.G.Shape(c.X());
        var pairs = c.G.Reshape(c.G.Concat(1, c.G.Unsqueeze(c.X(1), 1), c.G.Unsqueeze(shape, 1)), -1);
        var parted = c.G.ReshapeTo(c.DY, pairs);
        var repeats = Enumerable.Range(0, rank).Select(static axis => 2L * axis).ToArray();
        var summed = rank == 0 ? parted : c.G.ReduceSum(parted, repeats, keepDims: false);
        return [c.G.ReshapeTo(summed, shape), null];
    }
}
