using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>Operators that move elements.</summary>
internal static class ShapeChangingCases
{
    public static IEnumerable<GradientCase> Rows =>
    [
        GradientCase.Unary("Transpose", "reversed axes", Generic(2, 3, 2)),
        GradientCase.Unary("Transpose", "a scalar", Generic()),
        new("Transpose", "a cycle", static (g, x) => [g.Transpose(x[0], 2, 0, 1)], Generic(2, 3, 4)),
        new("Transpose", "a swap", static (g, x) => [g.Transpose(x[0], 0, 2, 1, 3)], Generic(1, 2, 3, 2)),
        new("Reshape", "stated lengths", static (g, x) => [g.Reshape(x[0], 3, 4)], Generic(2, 6)),
        new("Reshape", "an axis kept and one left open", static (g, x) => [g.Reshape(x[0], 0, -1)], Generic(2, 3, 2)),
        new("Reshape", "to a scalar", static (g, x) => [g.Reshape(x[0])], Generic(1, 1)),
        new("Reshape", "from a scalar", static (g, x) => [g.Reshape(x[0], 1, -1)], Generic()),
        new("Reshape", "nothing", static (g, x) =>
            [g.Op("Reshape", [x[0], g.Int64(3, 0)], NodeAttribute.Of("allowzero", 1L))], Generic(0, 2)),
        new("Reshape", "a computed shape", static (g, x) =>
            [g.Op("Reshape", x[0], g.Shape(x[1]))], Generic(6), Generic(2, 3)),
        new("Flatten", "the default axis", static (g, x) => [g.Op("Flatten", x[0])], Generic(2, 3, 2)),
        new("Flatten", "axis 0", static (g, x) => [Flatten(g, x[0], 0)], Generic(2, 3)),
        new("Flatten", "axis -1", static (g, x) => [Flatten(g, x[0], -1)], Generic(2, 3, 2)),
        new("Squeeze", "one axis", static (g, x) => [g.Squeeze(x[0], 1)], Generic(2, 1, 3)),
        new("Squeeze", "negative axes", static (g, x) => [g.Squeeze(x[0], -1, 0)], Generic(1, 3, 1)),
        new("Squeeze", "no axes", static (g, x) => [g.Op("Squeeze", x[0])], Generic(1, 3, 1)),
        new("Unsqueeze", "one axis", static (g, x) => [g.Unsqueeze(x[0], 1)], Generic(2, 3)),
        new("Unsqueeze", "negative axes", static (g, x) => [g.Unsqueeze(x[0], -1, 0)], Generic(2, 3)),
        new("Unsqueeze", "a scalar", static (g, x) => [g.Unsqueeze(x[0], 0)], Generic()),
        Expand("an axis of one", [2, 3], Generic(2, 1)),
        Expand("missing axes", [2, 2, 3], Generic(3)),
        Expand("a scalar", [2, 2], Generic()),
        Expand("to fewer axes than there are", [3], Generic(2, 3)),
        Expand("both ways", [2, 1, 3], Generic(4, 1)),
        Expand("nothing to do", [2, 3], Generic(2, 3)),
        Concat("one part", 0, Generic(2, 3)),
        Concat("two parts", 1, Generic(2, 3), Generic(2, 1)),
        Concat("three parts on the last axis", -1, Generic(2, 1), Generic(2, 2), Generic(2, 3)),
        Concat("an empty part", 0, Generic(2, 3), Generic(0, 3), Generic(1, 3)),
        new("Concat", "one value twice", static (g, x) => [g.Concat(0, x[0], x[0])], Generic(2, 2)),
        new("Split", "lengths", static (g, x) => g.Split(x[0], 1, 1, 3), Generic(2, 4)),
        new("Split", "an empty part on a negative axis", static (g, x) => g.Split(x[0], -1, 2, 0, 2), Generic(2, 4)),
        new("Split", "equal parts", static (g, x) => Parts(g, x[0], 2), Generic(2, 4)),
        new("Split", "a smaller last part", static (g, x) => Parts(g, x[0], 2), Generic(2, 5)),
        new("Split", "an unused first part", static (g, x) => [g.Split(x[0], 1, 1, 3)[1]], Generic(2, 4)),
        new("Split", "unused last parts", static (g, x) => [g.Split(x[0], 0, 1, 2, 1)[0]], Generic(4)),
        new("Split", "parts multiplied", static (g, x) =>
            [g.Split(x[0], 1, 2, 2) is [var a, var b] ? g.Mul(a, b) : x[0]], Generic(2, 4)),
    ];

    private static Value Flatten(GraphBuilder g, Value x, long axis) =>
        g.Op("Flatten", [x], NodeAttribute.Of("axis", axis));

    private static IReadOnlyList<Value> Parts(GraphBuilder g, Value x, int count) =>
        g.Ops("Split", count, [x], [NodeAttribute.Of("axis", 1L), NodeAttribute.Of("num_outputs", (long)count)]);

    private static GradientCase Expand(string name, long[] to, TestInput x) =>
        new("Expand", name, (g, v) => [g.Expand(v[0], g.Int64(to))], x);

    private static GradientCase Concat(string name, long axis, params TestInput[] parts) =>
        new("Concat", name, (g, x) => [g.Concat(axis, x)], parts);
}
