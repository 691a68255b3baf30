using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>
/// Operators without a gradient, applied to a value that reaches the loss on another way too, and used as what they are
/// allowed to be: masks and lengths. Away from their steps, the loss changes by the other way only.
/// </summary>
internal static class NotDifferentiableCases
{
    public static IEnumerable<GradientCase> Rows =>
    [
        .. new[] { "Ceil", "Floor", "Round", "Sign" }.Select(static op => Masking(op, (g, x) => g.Op(op, x))),
        .. new[] { "IsNaN", "IsInf" }.Select(static op => Beside(op, (g, x) => g.Op(op, x))),
        .. new[] { "Shape", "Size" }.Select(static op => Beside(op, (g, x) => g.Op(op, x))),
        .. new[] { "ArgMax", "ArgMin" }.Select(static op => Masking(op, (g, x) => g.Op(op, x))),
        Masking("NonZero", static (g, x) => g.Op("NonZero", g.Cast(x, ElementType.Float))),
        .. new[] { "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual" }
            .Select(static op => Beside(op, (g, x) => g.Op(op, x, g.ScalarLike(x, 0.1)))),
        .. new[] { "And", "Or", "Xor" }.Select(static op => Beside(op, (g, x) =>
            g.Op(op, Above(g, x, 0.1), Above(g, x, 0.9)))),
        Beside("Not", static (g, x) => g.Op("Not", Above(g, x, 0))),
        .. new[] { "BitwiseAnd", "BitwiseOr", "BitwiseXor" }.Select(static op => Masking(op, (g, x) =>
            g.Op(op, g.Cast(x, ElementType.Int64), g.Int64Scalar(5)))),
        Masking("BitwiseNot", static (g, x) => g.Op("BitwiseNot", g.Cast(x, ElementType.Int64))),
        Masking("BitShift", static (g, x) => g.Op(
            "BitShift",
            [g.Cast(g.Op("Abs", x), ElementType.UInt64), g.Scalar(ElementType.UInt64, 1)],
            NodeAttribute.Of("direction", "LEFT"))),
        Beside("Constant", static (g, x) =>
            g.Op("Constant", [], NodeAttribute.Of("value", Tensor.Vector<float>(1, 2, 3)))),
        Beside("ConstantOfShape", static (g, x) => g.Op("ConstantOfShape", g.Shape(x))),
        Beside("EyeLike", static (g, x) => g.Op("EyeLike", g.Op("Expand", x, g.Int64(3, 3)))),
        Beside("RandomUniformLike", static (g, x) => g.Op(
            "RandomUniformLike",
            [x],
            NodeAttribute.Of("low", 0.5f),
            NodeAttribute.Of("high", 0.5f))),
    ];

    private static Value Above(GraphBuilder g, Value x, double limit) => g.Op("Greater", x, g.ScalarLike(x, limit));

    private static GradientCase Beside(string op, Func<GraphBuilder, Value, Value> of) =>
        new(op, "beside the identity", (g, x) => [x[0], g.Cast(of(g, x[0]), x[0].Type)], Of([-1.7, 0.4, 1.3]));

    /// <summary>What is not zero keeps the number.</summary>
    private static GradientCase Masking(string op, Func<GraphBuilder, Value, Value> of) => new(
        op,
        "as a mask",
        (g, x) => [g.Where(g.Cast(of(g, x[0]), ElementType.Bool), x[0], g.Mul(x[0], 3))],
        Of([-1.7, 0.4, 1.3]));
}
