using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>Sums and means over axes.</summary>
internal static class ReductionCases
{
    private static readonly (long[] Dims, long[]? Axes)[] Forms =
    [
        ([2, 3, 2], [1]), ([2, 3, 2], [-1]), ([2, 3, 2], [0, 2]), ([2, 3, 2], [-1, -3]), ([2, 3, 2], [0, 1, 2]),
        ([2, 3], null), ([2, 3], []), ([2, 1, 3], [1]), ([1], [0]), ([], null),
    ];

    public static IEnumerable<GradientCase> Rows =>
        from op in new[] { "ReduceSum", "ReduceMean" }
        from form in Forms
        from keep in new[] { 0L, 1L }
        from noop in form.Axes is { Length: > 0 } ? new[] { 0L } : [0L, 1L]
        select Row(op, form.Dims, form.Axes, keep, noop);

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
            Generic(dims));
    }
}
