using System.Globalization;
using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>Operators that cut out, repeat, fill or silence parts.</summary>
internal static class WindowCases
{
    private const long End = long.MaxValue;

    public static IEnumerable<GradientCase> Rows =>
    [
        Slice("axes not given", Generic(3, 4), [1, 0], [3, 2]),
        Slice("one axis", Generic(3, 4), [1], [3], [1]),
        Slice("negative starts and axes", Generic(2, 4), [-3], [-1], [-1]),
        Slice("clamped ends", Generic(3, 4), [-9, 1], [End, 99], [0, 1]),
        Slice("a step", Generic(5), [0], [End], [0], [2]),
        Slice("a negative step", Generic(2, 5), [-1], [-End], [1], [-2]),
        Slice("steps both ways", Generic(3, 4), [0, 3], [3, 0], [0, 1], [2, -1]),
        Slice("nothing left", Generic(2, 3), [2], [1], [1]),
        new("Slice", "computed bounds", static (g, x) => [g.Op("Slice", x[0], x[1], x[2])],
            Generic(4), Int64([1], 1), Int64([3], 1)),
        new("Slice", "computed bounds from the back, clamped", static (g, x) => [g.Op("Slice", x[0], x[1], x[2], g.Int64(-1, 0))],
            Generic(3, 4), Int64([-3, -9], 2), Int64([End, 2], 2)),
        new("Slice", "computed steps", static (g, x) => [g.Op("Slice", x[0], x[1], x[2], g.Int64(0), x[3])],
            Generic(5), Int64([4], 1), Int64([-End], 1), Int64([-2], 1)),
        new("Slice", "starts after the end", static (g, x) => [g.Op("Slice", x[0], x[1], x[2])],
            Generic(4), Int64([7], 1), Int64([9], 1)),
        Pad("constant", Generic(2, 3), [1, 0, 0, 2]),
        Pad("constant", Generic(3), [-1, 2]),
        Pad("constant", Generic(2, 4), [1, -1, -1, -2]),
        Pad("reflect", Generic(2, 4), [0, 3, 0, 2]),
        Pad("edge", Generic(2, 3), [1, 2, 0, 1]),
        Pad("wrap", Generic(2, 3), [1, 2, 0, 1]),
        Pad("edge", Generic(3), [2, -1]),
        Pad("constant", Generic(2, 3, 2), [1, 2], [-2]),
        Pad("reflect", Generic(3, 2, 3), [1, 2, 2, 0], [2, 0]),
        new("Pad", "computed", static (g, x) => [g.Op("Pad", x[0], x[1])], Generic(2, 3), Int64([1, 0, -1, 2], 4)),
        new("Pad", "computed, of axes", static (g, x) => [g.Op("Pad", x[0], x[1], null, g.Int64(-1))],
            Generic(2, 3), Int64([2, 1], 2)),
        new("Pad", "a value", static (g, x) => [g.Op("Pad", x[0], g.Int64(1, 1), g.ScalarLike(x[0], 5))], Generic(2)),
        Tile(Generic(3), 2),
        Tile(Generic(3), 1),
        Tile(Generic(2, 3), 1, 3),
        Tile(Generic(2, 1, 2), 2, 3, 1),
        Tile(Generic(2, 3, 2), 3, 2, 2),
        .. from upper in new[] { 0L, 1 }
           from k in new long?[] { null, 0, -1, 2, 9 }
           select Trilu(Generic(3, 4), upper, k),
        Trilu(Generic(2, 3, 2), 0, 1),
    ];

    private static string Text(long[] list) => $"[{string.Join(",", list)}]";

    private static GradientCase Slice(
        string name, TestInput x, long[] starts, long[] ends, long[]? axes = null, long[]? steps = null) => new(
        "Slice",
        name,
        (g, v) =>
            [g.Op("Slice", [v[0], .. new[] { starts, ends, axes, steps }.OfType<long[]>().Select(l => g.Int64(l))])],
        x);

    private static GradientCase Pad(string mode, TestInput x, long[] pads, long[]? axes = null) => new(
        "Pad",
        $"{mode} {Text(pads)} of {Text(x.Dims)}, axes {(axes is null ? "all" : Text(axes))}",
        (g, v) =>
        [
            g.Op(
                "Pad",
                axes is null ? [v[0], g.Int64(pads)] : [v[0], g.Int64(pads), null, g.Int64(axes)],
                NodeAttribute.Of("mode", mode)),
        ],
        x);

    private static GradientCase Tile(TestInput x, params long[] repeats) =>
        new("Tile", $"{Text(x.Dims)} times {Text(repeats)}", (g, v) => [g.Op("Tile", v[0], g.Int64(repeats))], x);

    private static GradientCase Trilu(TestInput x, long upper, long? k) => new(
        "Trilu",
        $"{Text(x.Dims)}, upper {upper}, k {k?.ToString(CultureInfo.InvariantCulture) ?? "left out"}",
        (g, v) =>
            [g.Op("Trilu", k is null ? [v[0]] : [v[0], g.Int64Scalar(k.Value)], NodeAttribute.Of("upper", upper))],
        x);
}
