using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Autodiff.Rules;

/// <summary>Activation functions.</summary>
internal static class Activation
{
    /// <summary>√(2/π), of the tanh form of GELU.</summary>
    private const double TanhScale = 0.79788456080286535588;

    /// <summary>The cubic term's factor in the tanh form of GELU.</summary>
    private const double TanhCubic = 0.044715;

    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows { get; } =
    [
        (("Relu", 6), static c => [Where(c.Y > 0, c.DY, 0)]),
        (("Tanh", 6), static c => [c.DY - c.DY * (c.Y * c.Y)]),
        (("Sigmoid", 6), static c => [c.DY * (c.Y - c.Y * c.Y)]),
        (("Erf", 9), static c => [c.DY * Bell(c.X(), 1, 2 / Math.Sqrt(Math.PI))]),
        (("Softplus", 1), static c => [c.DY * Sigmoid(c.X())]),
        (("LeakyRelu", 6), LeakyRelu),
        (("HardSigmoid", 6), HardSigmoid),
        (("Clip", 11), Clip),
        (("Gelu", 20), Gelu),
    ];

    /// <summary>The slope is α at and below 0, as in PyTorch.</summary>
    private static IReadOnlyList<Value?> LeakyRelu(RuleContext c)
    {
        var below = c.DY * c.Node.Attributes.Float("alpha", 0.01f);
        return [Where(c.X() > 0, c.DY, below)];
    }

    /// <summary>The slope is α between the flat ends, 0 on them.</summary>
    private static IReadOnlyList<Value?> HardSigmoid(RuleContext c)
    {
        var rises = (c.Y > 0) & (c.Y < 1);
        return [Where(rises, c.DY * c.Node.Attributes.Float("alpha", 0.2f), 0)];
    }

    /// <summary>
    /// The gradient of what was not clipped passes, the bounds themselves included, as in PyTorch. The bounds get no
    /// gradient.
    /// </summary>
    private static IReadOnlyList<Value?> Clip(RuleContext c) =>
        c.PadToInputs(Where(Equal(c.X(), c.Y), c.DY, 0));

    private static IReadOnlyList<Value?> Gelu(RuleContext c) =>
        [c.DY * (c.Node.Attributes.String("approximate", "none") == "tanh" ? TanhSlope(c.X()) : ErfSlope(c.X()))];

    /// <summary>
    /// With z = 2√(2/π)·(x + 0.044715 x³) the tanh form is x·σ(z), so its slope is σ + σ(1−σ)·x·z′, and
    /// x·z′ = 3z − 4√(2/π)·x: one transcendental function and no tanh.
    /// </summary>
    private static Term TanhSlope(Term x)
    {
        var z = x * (x * x * (2 * TanhScale * TanhCubic) + 2 * TanhScale);
        var sigma = Sigmoid(z);
        var xTimesSlopeOfZ = 3 * z - 4 * TanhScale * x;
        return sigma + (sigma - sigma * sigma) * xTimesSlopeOfZ;
    }

    /// <summary>x·Φ(x) has the slope Φ(x) + x·φ(x), with the normal distribution's Φ and density φ.</summary>
    private static Term ErfSlope(Term x)
    {
        var phi = 0.5 * Erf(x * Math.Sqrt(0.5)) + 0.5;
        return phi + x * Bell(x, 0.5, 1 / Math.Sqrt(2 * Math.PI));
    }

    /// <summary>height · exp(−rate · x²).</summary>
    private static Term Bell(Term x, double rate, double height) => height * Exp(-rate * (x * x));
}
