using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Autodiff.Rules;

/// <summary>Arithmetic and elementary functions, element by element with broadcasting.</summary>
internal static class Elementwise
{
    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows { get; } =
    [
        (("Add", 7), static c => [c.DY, c.DY]),
        (("Sub", 7), static c => [c.DY, -c.DY]),
        (("Mul", 7), static c => [c.DY * c.X(1), c.DY * c.X(0)]),
        (("Div", 7), Div),
        (("Neg", 6), static c => [-c.DY]),
        (("Abs", 6), static c => [c.DY * Sign(c.X())]),
        (("Identity", 1), static c => [c.DY]),
        (("Cast", 6), static c => [c.X().Type.IsFloating() ? Cast(c.DY, c.X().Type) : c.DY]),
        (("Pow", 7), Power),
        (("Sqrt", 6), static c => [0.5 * c.DY / c.Y]),
        (("Reciprocal", 6), static c => [-(c.DY * (c.Y * c.Y))]),
        (("Exp", 6), static c => [c.DY * c.Y]),
        (("Log", 6), static c => [c.DY / c.X()]),
        (("Sin", 7), static c => [c.DY * Cos(c.X())]),
        (("Cos", 7), static c => [-(c.DY * Sin(c.X()))]),
        (("Where", 9), Choice),
        (("Sum", 8), static c => [.. c.Node.Inputs.Select(_ => c.DY)]),
        (("Mean", 8), static c => [.. c.Node.Inputs.Select(_ => c.DY * (1.0 / c.Node.Inputs.Count))]),
        (("Max", 8), Extremum),
        (("Min", 8), Extremum),
    ];

    /// <summary>d(a/b) = da/b − (a/b)·db/b.</summary>
    private static IReadOnlyList<Value?> Div(RuleContext c)
    {
        var byB = c.DY / c.X(1);
        return [byB, -(byB * c.Y)];
    }

    /// <summary>
    /// d(xⁿ)/dx = n·xⁿ⁻¹, and 0 for n = 0 even where x⁻¹ is infinite. A constant n never meets a logarithm, so negative
    /// bases are fine; small whole n become products. With a computed n, d(xⁿ)/dn = xⁿ·ln x, taken as 0 where x ≤ 0, as
    /// PyTorch does at x = 0.
    /// </summary>
    private static IReadOnlyList<Value?> Power(RuleContext c)
    {
        var (x, exponent) = (c.X(0), c.X(1));
        if (exponent.Value.Constant is { Count: 1 } constant && Number(constant) is { } number)
            return [ConstantPower(c.DY, x, number), null];
        var n = Cast(exponent, x.Type);
        var slope = n * Pow(x, n - 1);
        var dx = c.DY * Where(Equal(n, 0), 0, slope);
        if (!exponent.Type.IsFloating())
            return [dx, null];
        var positive = x > 0;
        var log = Log(Where(positive, x, 1));
        var dn = c.DY * Where(positive, c.Y * log, 0);
        return [dx, Cast(dn, exponent.Type)];
    }

    private static Term ConstantPower(Term dY, Term x, double n) => n switch
    {
        0 => dY * 0,
        1 => dY,
        2 => dY * (2 * x),
        3 => dY * (3 * x * x),
        _ => dY * (n * Pow(x, n - 1)),
    };

    private static double? Number(Tensor constant) => constant.Type switch
    {
        ElementType.Double => constant.Span<double>()[0],
        _ when constant.Type.IsFloating() => constant.ToFloat32()[0],
        ElementType.Int64 or ElementType.Int32 => constant.ToInt64()[0],
        _ => null,
    };

    /// <summary>
    /// The gradient takes the branch that was taken. A product with the mask would make 0·∞ of masked infinities.
    /// </summary>
    private static IReadOnlyList<Value?> Choice(RuleContext c) =>
        [null, Where(c.X(0), c.DY, 0), Where(c.X(0), 0, c.DY)];

    /// <summary>The gradient goes to the operand that was taken; operands that tie share it, as in PyTorch.</summary>
    private static IReadOnlyList<Value?> Extremum(RuleContext c)
    {
        var taken = c.Node.Inputs.Select((_, i) => Equal(c.X(i), c.Y)).ToArray();
        var ties = taken.Select(t => Cast(t, c.DY.Type)).Aggregate(static (sum, t) => sum + t);
        var share = c.DY / ties;
        return [.. taken.Select(t => Where(t, share, 0))];
    }
}
