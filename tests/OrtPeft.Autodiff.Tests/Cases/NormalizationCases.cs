using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>Softmax, normalisations, and dropout in evaluation.</summary>
internal static class NormalizationCases
{
    private const double Masked = double.NegativeInfinity;

    public static IEnumerable<GradientCase> Rows =>
    [
        .. Along("Softmax"),
        .. Along("LogSoftmax"),
        new("Softmax", "masked entries", static (g, x) =>
            [g.Softmax(x[0])], Of([1, Masked, -2, Masked, Masked, 0.5], 2, 3)),
        new("LogSoftmax", "masked entries", static (g, x) =>
            [g.Where(x[1], g.LogSoftmax(x[0]), g.ScalarLike(x[0], 0))], Of([1, Masked, -2]), Bool([1, 0, 1], 3)),
        Layer("the last axis", -1, [2, 4], [4], hasBias: true),
        Layer("no bias", -1, [2, 3, 4], [4], hasBias: false),
        Layer("the last two axes", -2, [2, 3, 2], [3, 2], hasBias: true),
        Layer("a positive axis", 1, [2, 2, 2], [2, 2], hasBias: false),
        Layer("all axes", 0, [2, 3], [2, 3], hasBias: true),
        Layer("a broadcast scale", -2, [2, 3, 2], [2], hasBias: true),
        new("LayerNormalization", "constant rows", static (g, x) =>
            [Layer(g, x, -1, 1e-2f)], Of([3, 3, 3, 0, 0, 0], 2, 3), Generic(3), Generic(3)),
        new("LayerNormalization", "its input as scale", static (g, x) => [Layer(g, [x[0], x[0]], -1)], Generic(4)),
        .. RootMeanSquare("SimplifiedLayerNormalization"),
        Groups("two groups", 2, [2, 4, 3]),
        Groups("one group", 1, [1, 3, 2, 2]),
        Groups("a group per channel", 3, [2, 3, 2]),
        new("InstanceNormalization", "one axis", static (g, x) => [g.Op("InstanceNormalization", x)],
            Generic(2, 3, 3), Generic(3), Generic(3)),
        new("InstanceNormalization", "two axes", static (g, x) =>
            [g.Op("InstanceNormalization", x, NodeAttribute.Of("epsilon", 1e-2f))],
            Generic(1, 2, 2, 3), Generic(2), Generic(2)),
        new("Dropout", "the default mode", static (g, x) => [g.Op("Dropout", x[0])], Generic(2, 3)),
        new("Dropout", "a ratio and evaluation", static (g, x) =>
            [g.Op("Dropout", x[0], g.Scalar(ElementType.Float, 0.5), g.Scalar(ElementType.Bool, 0))], Generic(2, 3)),
    ];

    private static IEnumerable<GradientCase> Along(string op) =>
    [
        GradientCase.Unary(op, "the default axis", Generic(2, 3)),
        GradientCase.Unary(op, "large entries", Of([300, 299, -300])),
        GradientCase.Unary(op, "equal entries", Of([0.5, 0.5, 0.5])),
        GradientCase.Unary(op, "an axis of one", Generic(3, 1)),
        .. new[] { 0L, 1, -2 }.Select(axis => new GradientCase(
            op, $"axis {axis}", (g, x) => [g.Op(op, [x[0]], NodeAttribute.Of("axis", axis))], Generic(2, 3, 2))),
    ];

    private static IEnumerable<GradientCase> RootMeanSquare(string op) =>
        from axis in new[] { -1L, -2, 1 }
        select new GradientCase(
            op,
            $"axis {axis}",
            (g, x) => [g.Op(op, x, NodeAttribute.Of("axis", axis), NodeAttribute.Of("epsilon", 1e-3f))],
            Generic(2, 3, 4),
            axis == -1 ? Generic(4) : Generic(3, 4));

    private static GradientCase Groups(string name, long groups, long[] dims) => new(
        "GroupNormalization",
        name,
        (g, x) => [g.Op("GroupNormalization", x, NodeAttribute.Of("num_groups", groups))],
        Generic(dims),
        Generic(dims[1]),
        Generic(dims[1]));

    private static GradientCase Layer(string name, long axis, long[] dims, long[] scale, bool hasBias) => new(
        "LayerNormalization",
        name,
        (g, x) => [Layer(g, x, axis)],
        [Generic(dims), Generic(scale), .. hasBias ? [Generic(scale)] : Array.Empty<TestInput>()]);

    private static Value Layer(GraphBuilder g, Value[] x, long axis, float epsilon = 1e-5f) =>
        g.Op("LayerNormalization", x, NodeAttribute.Of("axis", axis), NodeAttribute.Of("epsilon", epsilon));
}
