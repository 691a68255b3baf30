using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

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
        (("Relu", 6), static c =>
            [c.G.Where(c.G.Op("Greater", c.Y, c.G.ScalarLike(c.Y, 0)), c.DY, c.G.ScalarLike(c.Y, 0))]),
        (("Tanh", 6), static c => [c.G.Sub(c.DY, c.G.Mul(c.DY, c.G.Mul(c.Y, c.Y)))]),
        (("Sigmoid", 6), static c => [c.G.Mul(c.DY, c.G.Sub(c.Y, c.G.Mul(c.Y, c.Y)))]),
        (("Erf", 9), static c => [c.G.Mul(c.DY, Bell(c, c.X(), 1, 2 / Math.Sqrt(Math.PI)))]),
        (("Softplus", 1), static c => [c.G.Mul(c.DY, c.G.Op("Sigmoid", c.X()))]),
        (("LeakyRelu", 6), LeakyRelu),
        (("HardSigmoid", 6), HardSigmoid),
        (("Clip", 11), Clip),
        (("Gelu", 20), Gelu),
    ];

    /// <summary>The slope is α at and below 0, as in PyTorch.</summary>
    private static IReadOnlyList<Value?> LeakyRelu(RuleContext c)
    {
        var below = c.G.Mul(c.DY, c.Node.Attributes.Float("alpha", 0.01f));
        return [c.G.Where(c.G.Op("Greater", c.X(), c.G.ScalarLike(c.X(), 0)), c.DY, below)];
    }

    /// <summary>The slope is α between the flat ends, 0 on them.</summary>
    private static IReadOnlyList<Value?> HardSigmoid(RuleContext c)
    {
        var (zero, one) = (c.G.ScalarLike(c.Y, 0), c.G.ScalarLike(c.Y, 1));
        var rises = c.G.Op("And", c.G.Op("Greater", c.Y, zero), c.G.Op("Less", c.Y, one));
        return [c.G.Where(rises, c.G.Mul(c.DY, c.Node.Attributes.Float("alpha", 0.2f)), zero)];
    }

    /// <summary>
    /// What was not clipped passes, the bounds themselves included, as in PyTorch. The bounds get no gradient.
    /// </summary>
    private static IReadOnlyList<Value?> Clip(RuleContext c)
    {
        var passed = c.G.Op("Equal", c.X(), c.Y);
        return c.PadToInputs(c.G.Where(passed, c.DY, c.G.ScalarLike(c.DY, 0)));
    }

    private static IReadOnlyList<Value?> Gelu(RuleContext c) =>
        [c.G.Mul(c.DY, c.Node.Attributes.String("approximate", "none") == "tanh" ? TanhSlope(c) : ErfSlope(c))];

    /// <summary>
    /// With z = 2√(2/π)·(x + 0.044715 x³) the tanh form is x·σ(z), so its slope is σ + σ(1−σ)·x·z′, and
    /// x·z′ = 3z − 4√(2/π)·x: one transcendental function and no tanh.
    /// </summary>
    private static Value TanhSlope(RuleContext c)
    {
        var x = c.X();
        var factor = c.G.Add(c.G.Mul(c.G.Mul(x, x), 2 * TanhScale * TanhCubic), 2 * TanhScale);
        var z = c.G.Mul(x, factor);
        var sigma = c.G.Op("Sigmoid", z);
        var xTimesSlopeOfZ = c.G.Sub(c.G.Mul(z, 3), c.G.Mul(x, 4 * TanhScale));
        var slopeOfSigma = c.G.Sub(sigma, c.G.Mul(sigma, sigma));
        return c.G.Add(sigma, c.G.Mul(slopeOfSigma, xTimesSlopeOfZ));
    }

    /// <summary>x·Φ(x) has the slope Φ(x) + x·φ(x), with the normal distribution's Φ and density φ.</summary>
    private static Value ErfSlope(RuleContext c)
    {
        var x = c.X();
        var phi = c.G.Add(c.G.Mul(c.G.Op("Erf", c.G.Mul(x, Math.Sqrt(0.5))), 0.5), 0.5);
        return c.G.Add(phi, c.G.Mul(x, Bell(c, x, 0.5, 1 / Math.Sqrt(2 * Math.PI))));
    }

    /// <summary>height · exp(−rate · x²).</summary>
    private static Value Bell(RuleContext c, Value x, double rate, double height) =>
        c.G.Mul(c.G.Op("Exp", c.G.Mul(c.G.Mul(x, x), -rate)), height);
}
