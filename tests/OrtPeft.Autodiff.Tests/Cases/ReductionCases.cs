using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>Reductions over axes, and running sums.</summary>
internal static class ReductionCases
{
    private static readonly (long[] Dims, long[]? Axes)[] Forms =
    [
        ([2, 3, 2], [1]), ([2, 3, 2], [-1]), ([2, 3, 2], [0, 2]), ([2, 3, 2], [-1, -3]), ([2, 3, 2], [0, 1, 2]),
        ([2, 3], null), ([2, 3], []), ([2, 1, 3], [1]), ([1], [0]), ([], null),
    ];

    private static readonly string[] Others =
    [
        "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMin",
    ];

    public static IEnumerable<GradientCase> Rows =>
    [
        .. from op in new[] { "ReduceSum", "ReduceMean" }
           from form in Forms
           from keep in new[] { 0L, 1L }
           from noop in form.Axes is { Length: > 0 } ? new[] { 0L } : [0L, 1L]
           select Row(op, form.Dims, form.Axes, keep, noop),
        .. from op in Others
           from form in Forms.Where(static (_, i) => i is 0 or 3 or 5 or 7 or 9)
           from keep in new[] { 0L, 1L }
           from noop in form.Dims.Length == 2 && keep == 0 ? new[] { 0L, 1L } : [0L]
           select Row(op, form.Dims, form.Axes, keep, noop),
        .. from axis in new[] { 0L, 1, -1 }
           from exclusive in new[] { 0L, 1 }
           from reverse in new[] { 0L, 1 }
           select CumSum(axis, exclusive, reverse),
    ];

    private static GradientCase Row(string op, long[] dims, long[]? axes, long keep, long noop)
    {
        var list = axes is null ? "all axes" : $"axes [{string.Join(",", axes)}]";
        return new GradientCase(
            op,
            $"{list} of [{string.Join(",", dims)}], keepdims {keep}, noop {noop}",
            (g, x) =>
            [
                g.Op(
                    op,
                    axes is null ? [x[0]] : [x[0], g.Int64(axes)],
                    NodeAttribute.Of("keepdims", keep),
                    NodeAttribute.Of("noop_with_empty_axes", noop)),
            ],
            op == "ReduceLogSum" ? Positive(dims) : Generic(dims));
    }

    private static GradientCase CumSum(long axis, long exclusive, long reverse) => new(
        "CumSum",
        $"axis {axis}, exclusive {exclusive}, reverse {reverse}",
        (g, x) =>
        [
            g.Op(
                "CumSum",
                [x[0], g.Int64Scalar(axis)],
                NodeAttribute.Of("exclusive", exclusive),
                NodeAttribute.Of("reverse", reverse)),
        ],
        Generic(2, 3, 2));
}
