using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Rules;

/// <summary>Arithmetic and elementary functions, element by element with broadcasting.</summary>
internal static class Elementwise
{
    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows { get; } =
    [
        (("Add", 7), static c => [c.DY, c.DY]),
        (("Sub", 7), static c => [c.DY, c.G.Neg(c.DY)]),
        (("Mul", 7), static c => [c.G.Mul(c.DY, c.X(1)), c.G.Mul(c.DY, c.X(0))]),
        (("Div", 7), Div),
        (("Neg", 6), static c => [c.G.Neg(c.DY)]),
        (("Abs", 6), static c => [c.G.Mul(c.DY, c.G.Op("Sign", c.X()))]),
        (("Identity", 1), static c => [c.DY]),
        (("Cast", 6), static c => [c.X().Type.IsFloating() ? c.G.Cast(c.DY, c.X().Type) : c.DY]),
        (("Pow", 7), Pow),
        (("Sqrt", 6), static c => [c.G.Div(c.G.Mul(c.DY, 0.5), c.Y)]),
        (("Reciprocal", 6), static c => [c.G.Neg(c.G.Mul(c.DY, c.G.Mul(c.Y, c.Y)))]),
        (("Exp", 6), static c => [c.G.Mul(c.DY, c.Y)]),
        (("Log", 6), static c => [c.G.Div(c.DY, c.X())]),
        (("Sin", 7), static c => [c.G.Mul(c.DY, c.G.Op("Cos", c.X()))]),
        (("Cos", 7), static c => [c.G.Neg(c.G.Mul(c.DY, c.G.Op("Sin", c.X())))]),
        (("Where", 9), Where),
        (("Sum", 8), static c => [.. c.Node.Inputs.Select(_ => c.DY)]),
        (("Mean", 8), static c => [.. c.Node.Inputs.Select(_ => c.G.Mul(c.DY, 1.0 / c.Node.Inputs.Count))]),
        (("Max", 8), Extremum),
        (("Min", 8), Extremum),
    ];

    /// <summary>d(a/b) = da/b − (a/b)·db/b.</summary>
    private static IReadOnlyList<Value?> Div(RuleContext c)
    {
        var byB = c.G.Div(c.DY, c.X(1));
        return [byB, c.G.Neg(c.G.Mul(byB, c.Y))];
    }

    /// <summary>
    /// d(xⁿ)/dx = n·xⁿ⁻¹, and 0 for n = 0 even where x⁻¹ is infinite. A constant n never meets a logarithm, so negative
    /// bases are fine; small whole n become products. With a computed n, d(xⁿ)/dn = xⁿ·ln x, taken as 0 where x ≤ 0, as
    /// PyTorch does at x = 0.
    /// </summary>
    private static IReadOnlyList<Value?> Pow(RuleContext c)
    {
        var (x, exponent) = (c.X(0), c.X(1));
        if (exponent.Constant is { Count: 1 } constant)
            return [ConstantPower(c, x, Number(constant)), null];
        var (n, zero) = (c.G.Cast(exponent, x.Type), c.G.ScalarLike(x, 0));
        var slope = c.G.Mul(n, c.G.Op("Pow", x, c.G.Add(n, -1)));
        var dx = c.G.Mul(c.DY, c.G.Where(c.G.Op("Equal", n, zero), zero, slope));
        if (!exponent.Type.IsFloating())
            return [dx, null];
        var positive = c.G.Op("Greater", x, zero);
        var log = c.G.Op("Log", c.G.Where(positive, x, c.G.ScalarLike(x, 1)));
        var dn = c.G.Mul(c.DY, c.G.Where(positive, c.G.Mul(c.Y, log), zero));
        return [dx, c.G.Cast(dn, exponent.Type)];
    }

    private static Value ConstantPower(RuleContext c, Value x, double n) => n switch
    {
        0 => c.G.Mul(c.DY, 0),
        1 => c.DY,
        2 => c.G.Mul(c.DY, c.G.Mul(x, 2)),
        3 => c.G.Mul(c.DY, c.G.Mul(c.G.Mul(x, 3), x)),
        _ => c.G.Mul(c.DY, c.G.Mul(c.G.Pow(x, n - 1), n)),
    };

    private static double Number(Tensor constant) => constant.Type switch
    {
        ElementType.Double => constant.Span<double>()[0],
        _ when constant.Type.IsFloating() => constant.ToFloat32()[0],
        _ => constant.ToInt64()[0],
    };

    /// <summary>
    /// The gradient takes the branch that was taken. A product with the mask would make 0·∞ of masked infinities.
    /// </summary>
    private static IReadOnlyList<Value?> Where(RuleContext c)
    {
        var zero = c.G.ScalarLike(c.DY, 0);
        return [null, c.G.Where(c.X(0), c.DY, zero), c.G.Where(c.X(0), zero, c.DY)];
    }

    /// <summary>The gradient goes to the operand that was taken; operands that tie share it, as in PyTorch.</summary>
    private static IReadOnlyList<Value?> Extremum(RuleContext c)
    {
        var taken = c.Node.Inputs.Select((_, i) => c.G.Op("Equal", c.X(i), c.Y)).ToArray();
        var ties = taken.Select(t => c.G.Cast(t, c.DY.Type)).Aggregate(c.G.Add);
        var share = c.G.Div(c.DY, ties);
        return [.. taken.Select(t => c.G.Where(t, share, c.G.ScalarLike(c.DY, 0)))];
    }
}
