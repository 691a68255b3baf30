using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>Activation functions, from far below zero to far above.</summary>
internal static class ActivationCases
{
    private static readonly double[] Points = [-40, -8, -2.5, -0.75, -1e-3, 0, 1e-3, 0.5, 1.25, 3, 9, 40];

    public static IEnumerable<GradientCase> Rows =>
    [
        GradientCase.Unary("Relu", "either sign", Of([-2, -1e-3, 1e-3, 3])),
        GradientCase.Unary("Tanh", "small to large", Of(Points)),
        GradientCase.Unary("Sigmoid", "small to large", Of(Points)),
        GradientCase.Unary("Erf", "small to large", Of(Points)),
        GradientCase.Unary("Softplus", "small to large", Of(Points)),
        GradientCase.Unary("LeakyRelu", "the default slope", Of([-2, -1e-3, 1e-3, 3])),
        new("LeakyRelu", "a negative slope", static (g, x) =>
            [g.Op("LeakyRelu", [x[0]], NodeAttribute.Of("alpha", -0.5f))], Of([-2, -1e-3, 1e-3, 3])),
        GradientCase.Unary("HardSigmoid", "the default line", Of([-9, -2.49, -0.5, 0, 1, 2.49, 9])),
        new("HardSigmoid", "another line", static (g, x) =>
            [g.Op("HardSigmoid", [x[0]], NodeAttribute.Of("alpha", -0.5f), NodeAttribute.Of("beta", 0.25f))],
            Of([-9, -1.49, -0.25, 0, 0.49, 0.51, 9])),
        new("Clip", "both bounds", static (g, x) =>
            [g.Op("Clip", x[0], g.ScalarLike(x[0], -1), g.ScalarLike(x[0], 2))], Of([-3, -1.01, -0.99, 0, 1.99, 2.01])),
        new("Clip", "a lower bound", static (g, x) => [g.Op("Clip", x[0], g.ScalarLike(x[0], -1))], Of([-3, 4])),
        new("Clip", "an upper bound", static (g, x) => [g.Op("Clip", x[0], null, g.ScalarLike(x[0], 2))], Of([-3, 4])),
        GradientCase.Unary("Clip", "no bounds", Generic(2, 2)),
        GradientCase.Unary("Gelu", "by erf", Of(Points)),
        GradientCase.Unary("Gelu", "scalar", Scalar(0.5)),
        new("Gelu", "by tanh", static (g, x) =>
            [g.Op("Gelu", [x[0]], NodeAttribute.Of("approximate", "tanh"))], Of(Points)),
    ];
}
