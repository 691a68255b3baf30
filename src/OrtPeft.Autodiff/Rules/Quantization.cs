using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Autodiff.Rules;

/// <summary>
/// Quantisers by the straight-through rule: as if they did not round. The gradient at integers is a floating-point one,
/// that of the numbers they count. Scales and zero points get none.
/// </summary>
/// <seealso href="https://arxiv.org/abs/1308.3432">Bengio, Léonard and Courville, section 4.</seealso>
/// <seealso href="https://arxiv.org/abs/1712.05877">Jacob et al., section 3.</seealso>
internal static class Quantization
{
    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows { get; } =
    [
        (("QuantizeLinear", 10), Quantize),
        (("DynamicQuantizeLinear", 11), static c => c.PadToInputs(c.DY / c.G.Term(c.Node.Outputs[1]))),
        (("DequantizeLinear", 10), Dequantize),
        (("Round", 11), static c => [c.DY]),
    ];

    /// <summary>Max or Min with constants as the end of a quantiser's range: what was not clipped passes.</summary>
    public static IReadOnlyList<Value?> Clipped(RuleContext c, int index)
    {
        var result = new Value?[c.Node.Inputs.Count];
        result[index] = Where(Equal(c.X(index), c.Y), c.DY, 0);
        return result;
    }

    /// <summary>q = clip(round(x/s) + z): dx = dq/s where nothing was clipped, the range's ends included.</summary>
    private static IReadOnlyList<Value?> Quantize(RuleContext c)
    {
        var (x, scale) = (c.X(0), Spread(c, c.X(1)));
        var (lowest, highest) = Range(c);
        var counted = Round(x / scale);
        if (c.Node.Input(2) is { } zeroPoint)
            counted += Spread(c, Cast(c.G.Term(zeroPoint), x.Type));
        var isInside = (counted >= lowest) & (counted <= highest);
        return c.PadToInputs(Where(isInside, c.DY / scale, 0));
    }

    /// <summary>y = (q − z)·s: dq = dy·s.</summary>
    private static IReadOnlyList<Value?> Dequantize(RuleContext c) => c.X(0).Value.Constant is null
        ? c.PadToInputs(c.DY * Spread(c, c.X(1)))
        : throw new UnsupportedOpException(
            $"{c.Node}: the scale of a quantised weight lies between a trainable parameter and the loss, and OrtPeft " +
            "knows no gradient for it; choose targets after it.");

    /// <summary>A scale for each slice of an axis gets that axis's place.</summary>
    private static Term Spread(RuleContext c, Term scale)
    {
        if (c.Node.Attributes.Int("block_size", 0) != 0)
            throw new UnsupportedOpException(
                $"{c.Node}: the gradient of activations quantised in blocks is not known; quantise them by tensor or axis.");
        if (c.Rank(scale) == 0)
            return scale;
        var rank = c.Rank(c.X(0));
        if (scale.Shape![0].Value == 1)
            return Reshape(scale, [.. Enumerable.Repeat(1L, rank)]);
        var axes = Enumerable.Repeat(1L, rank).ToArray();
        axes[c.Axis(1, rank)] = -1;
        return Reshape(scale, axes);
    }

    private static (double Lowest, double Highest) Range(RuleContext c) => c.Node.Outputs[0].Type switch
    {
        ElementType.Int4 => (-8, 7),
        ElementType.UInt4 => (0, 15),
        ElementType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        ElementType.UInt8 => (byte.MinValue, byte.MaxValue),
        ElementType.Int16 => (short.MinValue, short.MaxValue),
        ElementType.UInt16 => (ushort.MinValue, ushort.MaxValue),
        var type => throw new UnsupportedOpException(
            $"{c.Node}: the gradient of activations quantised to {type} is not known; quantise them to integers."),
    };
}
