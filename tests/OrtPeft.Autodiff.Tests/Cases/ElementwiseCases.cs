using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>Arithmetic and elementary functions.</summary>
internal static class ElementwiseCases
{
    private static readonly (long[] A, long[] B)[] Broadcasts =
    [
        ([2, 3], [2, 3]), ([2, 3], [3]), ([3], [2, 3]), ([2, 3], []), ([], [2, 3]), ([], []), ([2, 1, 3], [4, 1]),
        ([1], [2, 2]), ([1, 1], [3]), ([2, 3], [1, 3]), ([2, 1], [1, 3]), ([2, 0], [1]), ([1, 1, 1], [2, 1]),
    ];

    public static IEnumerable<GradientCase> Rows =>
    [
        .. Binary("Add"), .. Binary("Sub"), .. Binary("Mul"), .. Binary("Div"),
        new("Add", "a value and itself", static (g, x) => [g.Add(x[0], x[0])], Generic(3)),
        new("Sub", "a value and itself", static (g, x) => [g.Sub(x[0], x[0])], Generic(3)),
        new("Mul", "a value and itself", static (g, x) => [g.Mul(x[0], x[0])], Generic(3)),
        new("Mul", "a value and itself, broadcast", static (g, x) =>
            [g.Mul(x[0], g.Transpose(x[0], 1, 0))], Generic(1, 3)),
        new("Div", "a value and itself", static (g, x) => [g.Div(x[0], x[0])], Generic(3)),
        new("Mul", "zeros", static (g, x) => [g.Mul(x[0], x[1])], Of([0, 0, 2]), Of([0, 3, 0])),
        new("Div", "a numerator of zero", static (g, x) => [g.Div(x[0], x[1])], Of([0, 0]), Of([-2, 3])),
        GradientCase.Unary("Neg", "generic", Generic(2, 3)),
        GradientCase.Unary("Neg", "scalar", Scalar(0)),
        GradientCase.Unary("Abs", "either sign", Of([-2, -1e-3, 1e-3, 3])),
        GradientCase.Unary("Identity", "generic", Generic(2, 3)),
        GradientCase.Unary("Sqrt", "small to large", Of([1e-2, 0.5, 1, 400])),
        GradientCase.Unary("Reciprocal", "either sign", Of([-3, -0.5, 0.25, 100])),
        GradientCase.Unary("Exp", "small to large", Of([-30, -1, 0, 2.5])),
        GradientCase.Unary("Log", "small to large", Of([0.125, 1, 7])),
        GradientCase.Unary("Sin", "generic", Of([-4, 0, 1, 30])),
        GradientCase.Unary("Cos", "generic", Of([-4, 0, 1, 30])),
        .. new[] { "Sum", "Mean", "Max", "Min" }.SelectMany(Variadic),
        new("Cast", "to its own type", static (g, x) => [CastTo(g, x[0], x[0].Type)], Generic(2, 2)),
        new("Cast", "there and back", static (g, x) => [CastTo(g, CastTo(g, x[0], Other(x[0])), x[0].Type)], Exact)
        {
            Step = ExactStep,
        },
        new("Cast", "work in the other type", static (g, x) =>
            [CastTo(g, g.Mul(CastTo(g, x[0], Other(x[0])), 1.5), x[0].Type)], Exact)
        {
            Step = ExactStep,
        },
        new("Cast", "from an integer", static (g, x) =>
            [g.Mul(x[0], g.Cast(x[1], x[0].Type))], Generic(2), Int64([3, -1], 2)),
        new("Cast", "by way of a mask", static (g, x) =>
            [PassBeside(g, x[0], g.Cast(x[0], ElementType.Bool))], Generic(4)),
    ];

    /// <summary>
    /// Multiples of the step, so that float32 holds them all and a linear function's difference is exact.
    /// </summary>
    private static TestInput Exact => Of([0, -1.5, 2.25, 0.5]);

    private const double ExactStep = 1.0 / 128;

    private static IEnumerable<GradientCase> Binary(string op) => Broadcasts.Select(s => new GradientCase(
        op,
        $"[{string.Join(",", s.A)}] and [{string.Join(",", s.B)}]",
        (g, x) => [g.Op(op, x[0], x[1])],
        Generic(s.A),
        Generic(s.B)));

    private static IEnumerable<GradientCase> Variadic(string op) =>
    [
        GradientCase.Unary(op, "one operand", Generic(2, 3)),
        new(op, "two operands", (g, x) => [g.Op(op, x)], Generic(2, 3), Generic(2, 3)),
        new(op, "three operands, broadcast", (g, x) => [g.Op(op, x)], Generic(2, 1, 3), Generic(2, 1), Generic()),
        new(op, "a value twice", (g, x) => [g.Op(op, x[0], x[1], g.Mul(x[0], 3))], Generic(3), Generic(1)),
    ];

    private static Value CastTo(GraphBuilder g, Value x, ElementType type) =>
        g.Op("Cast", [x], NodeAttribute.Of("to", (long)type));

    private static ElementType Other(Value x) => x.Type == ElementType.Float ? ElementType.Double : ElementType.Float;

    private static Value PassBeside(GraphBuilder g, Value x, Value other) => g.Add(x, g.Cast(other, x.Type));
}
