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
        GradientCase.Unary("Gelu", "by erf", Of(Points)),
        GradientCase.Unary("Gelu", "scalar", Scalar(0.5)),
        new("Gelu", "by tanh", static (g, x) =>
            [g.Op("Gelu", [x[0]], NodeAttribute.Of("approximate", "tanh"))], Of(Points)),
    ];
}
