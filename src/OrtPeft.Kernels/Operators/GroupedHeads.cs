using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels.Operators;

/// <summary>Grouped-query attention on five axes, [batch, groups, heads of each, sequence, width]: keys and values,
/// which have no third of them, get one of length 1.</summary>
internal static class GroupedHeads
{
    /// <summary>How many axes that makes.</summary>
    public const int Axes = 5;

    private const long Inserted = 2;

    /// <summary>The four axes that a value had before it got the third; null where it is another.</summary>
    public static Value? Ungrouped(Value value) =>
        value.Producer is { } node && node.Is("Unsqueeze") && AxesOf(node) is [Inserted]
            && node.Inputs[0]!.Shape?.Rank == 4
            ? node.Inputs[0]
            : null;

    /// <summary>Heads of which each stands for several, one after the other, <c>Unsqueeze → Expand → Reshape</c>; the
    /// value itself where they are not repeated.</summary>
    public static Value Unrepeated(Value value)
    {
        if (value is not { Shape: { Rank: 4 } all, Producer: { } reshape } || !reshape.Is("Reshape")
            || reshape.Inputs[0] is not { Shape: { Rank: Axes } repeated, Producer: { } expand } || !expand.Is("Expand")
            || Ungrouped(expand.Inputs[0]!) is not { Shape: { } one } heads)
            return value;
        var isRepeated = one[0].SurelyEquals(repeated[0]) && one[0].SurelyEquals(all[0])
            && one[1].Value is { } groups && repeated[1].Value == groups
            && repeated[(int)Inserted].Value is { } times && all[1].Value == groups * times
            && one[2].SurelyEquals(repeated[3]) && one[2].SurelyEquals(all[2])
            && one[3].Value is { } d && repeated[4].Value == d && all[3].Value == d;
        return isRepeated ? heads : value;
    }

    /// <summary>A mask of five axes on four: all heads have the same; null where they may not.</summary>
    public static Value? MaskOnFour(GraphBuilder g, Value mask)
    {
        if (mask.Shape is not { Rank: Axes } shape)
            return mask.Shape is { } less && less.SkipLast(2).All(static d => d.Value == 1) ? mask : null;
        if (mask.Producer is { } node && node.Is("Unsqueeze") && AxesOf(node) is [1 or 2]
            && node.Inputs[0]!.Shape is { Rank: 4 } four && four[1].Value == 1)
            return node.Inputs[0];
        return shape[1].Value == 1 && shape[2].Value == 1 ? g.Squeeze(mask, Inserted) : null;
    }

    /// <summary>[batch, groups, heads of each, sequence, width] as [batch, heads, sequence, width].</summary>
    public static Value Together(GraphBuilder g, Value x)
    {
        var shape = x.Shape!;
        var heads = shape[1].Value!.Value * shape[2].Value!.Value;
        var y = g.Reshape(x, 0, heads, -1, shape[4].Value!.Value);
        y.Shape = [shape[0], heads, shape[3], shape[4]];
        return y;
    }

    /// <summary>The way back, to the shape of a value.</summary>
    public static Value Apart(GraphBuilder g, Value x, Value like)
    {
        var shape = like.Shape!;
        var y = g.Reshape(x, 0, shape[1].Value!.Value, shape[2].Value!.Value, -1, shape[4].Value!.Value);
        y.Shape = shape;
        return y;
    }

    private static long[]? AxesOf(Node unsqueeze) => unsqueeze.Input(1)?.Constant?.ToInt64();
}
