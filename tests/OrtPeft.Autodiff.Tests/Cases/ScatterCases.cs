using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>Writing to and reading from places given by index.</summary>
internal static class ScatterCases
{
    public static IEnumerable<GradientCase> Rows =>
    [
        GatherND("rows", 0, Generic(3, 2), Int64([2, 0], 2, 1)),
        GatherND("elements, one twice", 0, Generic(3, 2), Int64([2, 1, 0, 0, 2, 1], 3, 2)),
        GatherND("negative indices", 0, Generic(3, 2), Int64([-1, -2, 2, 0], 2, 2)),
        GatherND("batches", 1, Generic(2, 3, 2), Int64([1, 1], 2, 1)),
        GatherND("batches of several, one twice", 1, Generic(2, 3), Int64([1, 1, 2, 0], 2, 2, 1)),
        ScatterElements("none", 0, Generic(3, 2), Int64([2, 0], 1, 2)),
        ScatterElements("none", 1, Generic(2, 4), Int64([2, 0, -1, 1], 2, 2)),
        ScatterElements("none", -1, Generic(2, 4), Int64([3, 0, 1, 2], 2, 2)),
        ScatterElements("add", 0, Generic(3, 2), Int64([2, 0, 2, 0], 2, 2)),
        ScatterElements("add", 1, Generic(2, 3), Int64([0, 0, -1, 2], 2, 2)),
        ScatterElements("add", -2, Generic(3, 2), Int64([1, 1], 1, 2)),
        ScatterND("none", Generic(4), Int64([2, 0], 2, 1), Generic(2)),
        ScatterND("none", Generic(3, 2), Int64([2, -3], 2, 1), Generic(2, 2)),
        ScatterND("add", Generic(3, 2), Int64([1, 1], 2, 1), Generic(2, 2)),
        ScatterND("add", Generic(2, 2, 2), Int64([1, 0, 0, 1], 2, 2), Generic(2, 2)),
    ];

    private static GradientCase GatherND(string name, long batch, TestInput data, TestInput indices) =>
        new("GatherND", name, (g, x) => [g.Op("GatherND", x, NodeAttribute.Of("batch_dims", batch))], data, indices);

    private static GradientCase ScatterElements(string reduction, long axis, TestInput data, TestInput indices) => new(
        "ScatterElements",
        $"{reduction}, axis {axis}",
        (g, x) =>
            [g.Op("ScatterElements", x, NodeAttribute.Of("axis", axis), NodeAttribute.Of("reduction", reduction))],
        data,
        indices,
        Generic(indices.Dims));

    private static GradientCase ScatterND(
        string reduction, TestInput data, TestInput indices, TestInput updates) => new(
        "ScatterND",
        $"{reduction}, [{string.Join(",", indices.Dims)}] into [{string.Join(",", data.Dims)}]",
        (g, x) => [g.Op("ScatterND", x, NodeAttribute.Of("reduction", reduction))],
        data,
        indices,
        updates);
}
