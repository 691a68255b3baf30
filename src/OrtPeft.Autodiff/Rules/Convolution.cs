using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Autodiff.Rules;

/// <summary>Convolution over one or two axes, with strides, dilations, explicit pads and groups.</summary>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__Conv.html">Conv, opset 11.</seealso>
internal static class Convolution
{
    public static GradientRule Rule { get; } = static c =>
    {
        var axes = c.Rank(c.X()) - 2;
        if (c.Node.Attributes.String("auto_pad", "NOTSET") is not ("NOTSET" or "VALID") and var pad)
            throw new UnsupportedOpException(
                $"{c.Node}: the gradient of auto_pad '{pad}' is not known; export with explicit pads.");
        long[] allButChannels = [0, .. Enumerable.Range(2, axes).Select(static a => (long)a)];
        var dBias = c.Node.Input(2) is null ? null : c.G.ReduceSum(c.DY, allButChannels, keepDims: false);
        return c.PadToInputs(DX(c, axes), DW(c, axes), dBias);
    };

    /// <summary>
    /// The transposed convolution without pads covers the padded input, but for what no stride reached; zeros are added
    /// for that, and the pads are cut off.
    /// </summary>
    private static Value DX(RuleContext c, int axes)
    {
        var (strides, pads) = (List(c, "strides", axes, 1), List(c, "pads", 2 * axes, 0));
        var full = c.G.Op(
            "ConvTranspose",
            [c.DY, c.X(1)],
            NodeAttribute.Of("strides", [.. strides]),
            NodeAttribute.Of("dilations", [.. List(c, "dilations", axes, 1)]),
            NodeAttribute.Of("group", c.Node.Attributes.Int("group", 1)));
        (full.Type, full.Shape) = (c.DY.Type, Shape.Create([.. Enumerable.Repeat(Dim.Unknown, axes + 2)]));
        long[] unreached = [.. new long[axes + 2], 0, 0, .. strides.Select(static s => s - 1)];
        var covered = c.G.Op("Pad", full, c.G.Int64(unreached), c.G.ScalarLike(c.DY, 0));
        var lengths = c.G.Term(c.G.Op("Slice", c.G.Shape(c.X()), c.G.Int64(2), c.G.Int64(axes + 2)));
        var starts = c.G.Term(c.G.Int64(pads.AsSpan(0, axes)));
        var spatial = c.G.Int64([.. Enumerable.Range(2, axes).Select(static a => (long)a)]);
        var dX = c.G.Op("Slice", covered, starts, starts + lengths, spatial);
        dX.Shape = c.X().Shape;
        return dX;
    }

    /// <summary>
    /// The input convolved with the upstream gradient, batch and channels exchanged, strides and dilations exchanged.
    /// Of the result only the kernel's own extent counts.
    /// </summary>
    private static Value DW(RuleContext c, int axes)
    {
        var (g, group) = (c.G, c.Node.Attributes.Int("group", 1));
        var kernel = c.ShapeOf(c.X(1));
        if (kernel.ToStatic() is not { } lengths)
            throw new UnsupportedOpException(
                $"{c.Node}: the kernel's shape is {kernel}; its gradient needs it to be known.");
        long[] spatial = [.. Enumerable.Range(2, axes).Select(static a => (long)a)];
        var x = Grouped(c, group, lengths[1], spatial);
        var dY = g.Transpose(c.DY, [1, 0, .. spatial]);
        var product = g.Op(
            "Conv",
            [x, dY],
            NodeAttribute.Of("strides", [.. List(c, "dilations", axes, 1)]),
            NodeAttribute.Of("dilations", [.. List(c, "strides", axes, 1)]),
            NodeAttribute.Of("pads", [.. List(c, "pads", 2 * axes, 0)]),
            NodeAttribute.Of("group", group));
        var cut = g.Op("Slice", product, g.Int64(new long[axes]), g.Int64([.. lengths.Skip(2)]), g.Int64(spatial));
        var dW = g.Transpose(cut, [1, 0, .. spatial]);
        dW.Shape = kernel;
        return dW;
    }

    /// <summary>[batch, groups·channels, …] as [channels, groups·batch, …].</summary>
    private static Value Grouped(RuleContext c, long group, long channels, long[] spatial)
    {
        var g = c.G;
        if (group == 1)
            return g.Transpose(c.X(), [1, 0, .. spatial]);
        var shape = g.Shape(c.X());
        var batch = g.Op("Slice", shape, g.Int64(0), g.Int64(1));
        var rest = g.Op("Slice", shape, g.Int64(2), g.Int64(spatial.Length + 2));
        var parted = g.Op("Reshape", c.X(), g.Concat(0, batch, g.Int64(group, channels), rest));
        var exchanged = g.Transpose(parted, [2, 1, 0, .. spatial.Select(static a => a + 1)]);
        return g.Op("Reshape", exchanged, g.Concat(0, g.Int64(channels, -1), rest));
    }

    private static long[] List(RuleContext c, string attribute, int count, long otherwise)
    {
        var given = c.Node.Attributes.Ints(attribute) ?? [.. Enumerable.Repeat(otherwise, count)];
        return given.Length == count
            ? given
            : throw new GraphException(
                $"{c.Node}: '{attribute}' has {given.Length} entries, not {count}; export the model again.");
    }
}
