using OrtPeft.Models.Rotary;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Building;

/// <summary>
/// Rotary positions in HF's layout, where element i of a head pairs with element i + d/2: (a, b) turns into
/// (a·cos − b·sin, b·cos + a·sin). With both halves in one tensor that is x·(cos, cos) + swap(x)·(−sin, sin).
/// </summary>
/// <seealso href="https://arxiv.org/abs/2104.09864">Su et al., RoFormer, equation 34.</seealso>
internal sealed class RotaryTables
{
    private readonly Value _cosine;
    private readonly Value _signedSine;

    private RotaryTables(Value cosine, Value signedSine)
    {
        _cosine = cosine;
        _signedSine = signedSine;
    }

    /// <summary>Makes the tables of every token's place.</summary>
    /// <param name="g">The builder.</param>
    /// <param name="positions">The tokens' places, <c>[batch, sequence] int64</c>.</param>
    /// <param name="frequencies">How fast the d/2 pairs turn.</param>
    /// <returns>Tables <c>[batch, sequence, d]</c>, to be spread over heads.</returns>
    public static RotaryTables Build(GraphBuilder g, Value positions, RopeFrequencies frequencies)
    {
        var angles = Angles(g, positions, frequencies);
        var turned = g.Mul(g.Unsqueeze(g.Cast(positions, ElementType.Float), 2), angles);
        var (cosine, sine) = (g.Op("Cos", turned), g.Op("Sin", turned));
        return new RotaryTables(g.Concat(-1, cosine, cosine), g.Concat(-1, g.Neg(sine), sine));
    }

    /// <summary>The tables times a factor, with axes of length 1 for the heads.</summary>
    public RotaryTables ForHeads(GraphBuilder g, double factor, params ReadOnlySpan<long> axes)
    {
        return new RotaryTables(
            g.Unsqueeze(Scaled(_cosine), axes), g.Unsqueeze(Scaled(_signedSine), axes));

        Value Scaled(Value table) => factor == 1 ? table : g.Mul(table, factor);
    }

    /// <summary>Turns heads, <c>[batch, …, sequence, d]</c>.</summary>
    /// <param name="g">The builder.</param>
    /// <param name="x">The heads.</param>
    /// <param name="half">d/2.</param>
    public Value Turn(GraphBuilder g, Value x, int half)
    {
        var parts = g.Split(x, -1, half, half);
        var swapped = g.Concat(-1, parts[1], parts[0]);
        return g.Add(g.Mul(x, _cosine), g.Mul(swapped, _signedSine));
    }

    /// <summary>The angle per token of each pair, which may hang on the longest sequence of the batch.</summary>
    private static Value Angles(GraphBuilder g, Value positions, RopeFrequencies frequencies)
    {
        var plain = Row(g, frequencies.Angles, "inv_freq");
        if (frequencies is { LongAngles: null, Growth: null })
            return plain;
        var length = g.Add(g.Op("ReduceMax", [positions], NodeAttribute.Of("keepdims", 0)), g.Int64Scalar(1));
        if (frequencies.LongAngles is { } longer)
        {
            var isLong = g.Op("Greater", length, g.Int64Scalar(frequencies.Limit));
            return g.Where(isLong, Row(g, longer, "long_inv_freq"), plain);
        }

        var factor = frequencies.Growth!.Value;
        var reached = g.Cast(g.Op("Max", length, g.Int64Scalar(frequencies.Limit)), ElementType.Float);
        var growth = g.Sub(g.Mul(reached, factor / frequencies.Limit), g.Scalar(ElementType.Float, factor - 1));
        var pairs = frequencies.Angles.Length;
        var powers = Enumerable.Range(0, pairs).Select(i => pairs == 1 ? 0 : -i / (pairs - 1.0));
        return g.Mul(plain, g.Op("Pow", growth, Row(g, [.. powers], "powers")));
    }

    /// <summary>A constant of three axes is not a parameter: only vectors and matrices train.</summary>
    private static Value Row(GraphBuilder g, double[] numbers, string name)
    {
        float[] row = [.. numbers.Select(static n => (float)n)];
        return g.Constant(Tensor.Of<float>(row, [1, 1, row.Length]), name);
    }
}
