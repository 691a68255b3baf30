using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>Powers: constant and computed exponents, bases of either sign.</summary>
internal static class PowCases
{
    public static IEnumerable<GradientCase> Rows =>
    [
        .. new double[] { 0, 1, 2, 3, 4 }.Select(static n => Constant(n, Of([-2, -0.5, 0, 0.5, 3]))),
        .. new double[] { -1, -2, -3 }.Select(static n => Constant(n, Of([-2, -0.5, 0.5, 3]))),
        .. new[] { 0.5, 1.5, -0.5, 0.3 }.Select(static n => Constant(n, Of([0.25, 0.5, 3]))),
        new("Pow", "a constant exponent of more axes", static (g, x) =>
            [g.Op("Pow", x[0], g.Constant(Tensor.Of<float>([3f], [1, 1])))], Generic(3)),
        new("Pow", "a constant exponent of 1 with more axes", static (g, x) =>
            [g.Op("Pow", x[0], g.Constant(Tensor.Of<long>([1], [1, 1])))], Generic(3)),
        new("Pow", "a constant integer exponent", static (g, x) => [g.Op("Pow", x[0], g.Int64Scalar(3))], Generic(3)),
        new("Pow", "several constant exponents", static (g, x) =>
            [g.Op("Pow", x[0], g.Constant(Tensor.Vector<float>(2, 3, -1, 1, 0)))], Of([-2, -0.5, 3, -1, -1])),
        new("Pow", "several constant exponents at zero", static (g, x) =>
            [g.Op("Pow", x[0], g.Constant(Tensor.Vector<float>(0, 1, 2, 3)))], Of([0, 0, 0, 0])),
        new("Pow", "computed exponents", Computed, Positive(2, 3), Generic(2, 3)),
        new("Pow", "a broadcast base", Computed, Positive(3), Generic(2, 3)),
        new("Pow", "a broadcast exponent", Computed, Positive(2, 3), Generic(2, 1)),
        new("Pow", "a scalar exponent", Computed, Positive(2, 3), Generic()),
        new("Pow", "computed integer exponents", Computed, Of([-2, -0.5, 0, 2]), Int64([3, -1, 2, 0], 4)),
        new("Pow", "a value to its own power", static (g, x) => [g.Op("Pow", x[0], x[0])], Positive(3)),
    ];

    private static GradientCase Constant(double n, TestInput x) =>
        new("Pow", FormattableString.Invariant($"exponent {n}"), (g, v) => [g.Pow(v[0], n)], x);

    private static IReadOnlyList<Value> Computed(GraphBuilder g, Value[] x) => [g.Op("Pow", x[0], x[1])];
}
