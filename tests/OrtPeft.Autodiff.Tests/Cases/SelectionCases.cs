using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>Choosing elements: by a condition or by index.</summary>
internal static class SelectionCases
{
    private const double Masked = double.NegativeInfinity;

    public static IEnumerable<GradientCase> Rows =>
    [
        new("Where", "equal shapes", Where, Bool([1, 0, 1], 3), Generic(3), Generic(3)),
        new("Where", "a broadcast condition", Where, Bool([1, 0], 2, 1), Generic(2, 3), Generic(2, 3)),
        new("Where", "a larger condition", Where, Bool([1, 0, 0, 1], 2, 2), Generic(2), Generic(1, 1)),
        new("Where", "broadcast branches", Where, Bool([1, 0, 1], 3), Generic(2, 1), Generic()),
        new("Where", "a scalar condition", Where, Bool([0]), Generic(2), Generic(2)),
        new("Where", "one value in both branches", static (g, x) =>
            [g.Where(x[0], x[1], x[1])], Bool([1, 0], 2), Generic(2)),
        new("Where", "infinity in the branch not taken", Where,
            Bool([1, 0, 1], 3), Of([1, Masked, 2]), Of([Masked, 4, Masked])),
        new("Where", "a constant infinity", static (g, x) =>
            [g.Op("Exp", g.Where(x[0], x[1], g.ScalarLike(x[1], Masked)))], Bool([1, 0, 1], 3), Generic(3)),
        TopK("the last axis", -1, Generic(2, 4)),
        TopK("the first axis", 0, Generic(4, 2)),
        Gather("rows", 0, Generic(4, 3), Int64([2, 0], 2)),
        Gather("repeated rows", 0, Generic(4, 3), Int64([2, 1, 2, 2], 4)),
        Gather("negative indices", 0, Generic(4, 3), Int64([-1, 3, -4], 3)),
        Gather("a scalar index", 0, Generic(4, 3), Int64([1])),
        Gather("a negative scalar index", 1, Generic(4, 3), Int64([-1])),
        Gather("columns", 1, Generic(2, 3), Int64([2, 2], 2)),
        Gather("the last axis", -1, Generic(2, 2, 3), Int64([0, 2], 2)),
        Gather("a middle axis, two axes of indices", 1, Generic(2, 3, 2), Int64([0, 2, -1, 0], 2, 2)),
        Gather("two axes of indices", 0, Generic(4, 3), Int64([0, 3, 3, 1, -2, 0], 2, 3)),
        Gather("int32 indices", 0, Generic(4, 3), Int32([3, 3], 2)),
        Gather("a vector by a scalar", 0, Generic(4), Int64([2])),
        Gather("no index", 0, Generic(4, 3), Int64([], 0)),
        Gather("an axis of one", 0, Generic(1, 3), Int64([0, 0], 2)),
        GatherMasked("rows of a mask", 0, Bool([1, 0, 1, 1], 4), Generic(4, 3)),
        GatherMasked("no row of a mask", 0, Bool([0, 0, 0], 3), Generic(3, 2)),
        GatherMasked("all rows of a mask", 0, Bool([1, 1], 2), Generic(2, 2)),
        GatherMasked("slices of a mask", 0, Bool([1, 0, 1], 3), Generic(3, 2, 2)),
        GatherMasked("numbers of a mask", 0, Bool([0, 1, 1], 3), Generic(3)),
        GatherMasked("columns of a mask", 1, Bool([0, 1, 1], 3), Generic(2, 3)),
        GatherMasked("places of two axes, some twice", 0, Bool([1, 1, 1, 0], 2, 2), Generic(3, 2)),
        GatherElements("rows", 0, Generic(3, 2), Int64([0, 2, 2, 2], 2, 2)),
        GatherElements("columns", 1, Generic(2, 3), Int64([0, -1, 1, 1], 2, 2)),
        GatherElements("the last axis, fewer rows", -1, Generic(3, 3), Int64([2, 2, 0, 1], 1, 4)),
        GatherElements("int32 indices", 0, Generic(3), Int32([-1, 0, 0], 3)),
    ];

    private static IReadOnlyList<Value> Where(GraphBuilder g, Value[] x) => [g.Where(x[0], x[1], x[2])];

    /// <summary>The places that were taken choose once more.</summary>
    private static GradientCase TopK(string name, long axis, TestInput x) => new("TopK", name, (g, v) =>
    {
        var taken = g.Ops("TopK", 2, [v[0], g.Int64(2)], [NodeAttribute.Of("axis", axis)]);
        var again = g.Op("GatherElements", [g.Mul(v[0], v[0]), taken[1]], NodeAttribute.Of("axis", axis));
        return [taken[0], again];
    }, x);

    private static GradientCase Gather(string name, long axis, TestInput data, TestInput indices) =>
        new("Gather", name, (g, x) => [g.Gather(x[0], x[1], axis)], data, indices);

    private static GradientCase GatherMasked(string name, long axis, TestInput mask, TestInput data) => new(
        "Gather", name, (g, x) => [g.Gather(x[1], g.Reshape(g.Op("NonZero", x[0]), -1), axis)], mask, data);

    private static GradientCase GatherElements(string name, long axis, TestInput data, TestInput indices) =>
        new(
            "GatherElements",
            name,
            (g, x) => [g.Op("GatherElements", [x[0], x[1]], NodeAttribute.Of("axis", axis))],
            data,
            indices);
}
