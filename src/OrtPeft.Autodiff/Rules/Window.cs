using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Autodiff.Rules;

/// <summary>Operators that cut a window out of a tensor, or put a tensor into a larger one: each one's gradient is the other
/// of the two, where no element is passed over, reversed or repeated.</summary>
internal static class Window
{
    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows { get; } =
    [
        (("Slice", 10), Slice),
        (("Pad", 13), Pad),
    ];

    /// <summary>Zeros around the window; steps other than 1, and unknown axes, go the way of the elements' numbers.</summary>
    private static IReadOnlyList<Value?> Slice(RuleContext c)
    {
        var isWhole = c.Node.Input(4) is null || Numbers(c, 4)?.All(static s => s == 1) == true;
        return isWhole && c.X().Value.Shape is { Rank: var rank } && AxesOf(c, rank) is { } axes
            ? c.PadToInputs(c.G.Op("Pad", c.DY, KnownPads(c, axes, rank) ?? ComputedPads(c, axes, rank)))
            : c.PadToInputs(IndexGrid.Return(c, grid => IndexGrid.Same(c, grid)));
    }

    /// <summary>The cut-out's place: negative pads, which cut, are padded; edges that repeat elements add to their
    /// gradients; constant edges come from none.</summary>
    private static IReadOnlyList<Value?> Pad(RuleContext c)
    {
        var attributes = c.Node.Attributes.ToArray();
        var axes = c.Node.Input(3);
        if (c.Node.Attributes.String("mode", "constant") != "constant")
        {
            return c.PadToInputs(IndexGrid.Return(
                c, grid => c.G.Ops("Pad", 1, [grid, c.X(1), c.G.Int64Scalar(-1), axes], attributes)[0], fills: true));
        }

        if (Numbers(c, 1) is not { } pads || pads.Any(static p => p < 0))
            return c.PadToInputs(c.G.Op("Pad", c.DY, c.G.Neg(c.X(1)), null, axes));
        var half = pads.Length / 2;
        var ends = pads[half..].Select(static end => end == 0 ? long.MaxValue : -end).ToArray();
        return c.PadToInputs(c.G.Op("Slice", c.DY, c.G.Int64(pads.AsSpan(0, half)), c.G.Int64(ends), axes));
    }

    /// <summary>The axes that a <c>Slice</c> cuts, from the front; null where they are not known.</summary>
    private static long[]? AxesOf(RuleContext c, int rank)
    {
        if (c.Node.Input(3) is not null)
            return Numbers(c, 3)?.Select(a => c.FromFront(a, rank)).ToArray();
        return c.X(1).Value.Shape is { Rank: 1 } shape && shape[0].Value is { } count
            ? [.. Enumerable.Range(0, (int)count).Select(static a => (long)a)]
            : null;
    }

    /// <summary>How much a <c>Slice</c> cuts off before the window on each axis, then how much after it; null where that is not
    /// known.</summary>
    private static Value? KnownPads(RuleContext c, long[] axes, int rank)
    {
        if (Numbers(c, 1) is not { } starts || c.X().Value.Shape is not { } lengths || c.DY.Value.Shape is not { } kept
            || axes.Any(a => lengths[(int)a].Value is null || kept[(int)a].Value is null))
            return null;
        var pads = new long[2 * rank];
        foreach (var (start, axis) in starts.Zip(axes))
        {
            var length = lengths[(int)axis].Value!.Value;
            pads[axis] = Math.Clamp(start < 0 ? start + length : start, 0, length);
            pads[rank + axis] = length - kept[(int)axis].Value!.Value - pads[axis];
        }

        return c.G.Int64(pads);
    }

    private static Value ComputedPads(RuleContext c, long[] axes, int rank)
    {
        var (g, none) = (c.G, c.G.Int64(0));
        var (lengths, kept) = (g.Shape(c.X()), g.Shape(c.DY));
        var pads = Enumerable.Repeat(none, 2 * rank).ToArray();
        foreach (var (i, axis) in axes.Index())
        {
            var length = g.Term(g.Gather(lengths, g.Int64(axis)));
            var start = Cast(g.Term(g.Gather(c.X(1), g.Int64(i))), ElementType.Int64);
            var before = Max(Min(Where(g.Term(g.Op("Less", start, none)), start + length, start), length), none);
            pads[axis] = before;
            pads[rank + axis] = length - g.Gather(kept, g.Int64(axis)) - before;
        }

        return g.Concat(0, pads);
    }

    /// <summary>The content of an input; null where it is computed.</summary>
    private static long[]? Numbers(RuleContext c, int index) =>
        c.Node.Input(index)?.Constant is null ? null : c.ConstantInput(index);
}
