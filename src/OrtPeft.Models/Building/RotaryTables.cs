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
    /// <param name="frequencies">The angle per token of each pair, d/2 numbers.</param>
    /// <returns>Tables <c>[batch, sequence, d]</c>, to be spread over heads.</returns>
    public static RotaryTables Build(GraphBuilder g, Value positions, IEnumerable<double> frequencies)
    {
        // A constant of three axes is not a parameter: only vectors and matrices train.
        float[] angles = [.. frequencies.Select(static f => (float)f)];
        var perToken = g.Constant(Tensor.Of<float>(angles, [1, 1, angles.Length]), "inv_freq");
        var turned = g.Mul(g.Unsqueeze(g.Cast(positions, ElementType.Float), 2), perToken);
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
}
