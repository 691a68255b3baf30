using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>Matrix products of every pair of ranks.</summary>
internal static class LinearCases
{
    private static readonly (long[] A, long[] B)[] Products =
    [
        ([3], [3]), ([3], [3, 2]), ([2, 3], [3]), ([2, 3], [3, 2]), ([2, 2, 3], [3, 2]), ([2, 3], [2, 3, 2]),
        ([2, 2, 3], [2, 3, 2]), ([2, 1, 2, 3], [1, 2, 3, 2]), ([2, 1, 2], [1, 2, 1]), ([2, 2, 1, 3], [2, 3, 1]),
        ([3], [2, 3, 2]), ([2, 2, 3], [3]), ([3], [2, 1, 3, 2]), ([1, 2, 3], [2, 3, 2]), ([2, 2, 2, 3], [3, 2]),
        ([1, 1], [1, 1]), ([1], [1]), ([0, 2, 3], [3, 2]),
    ];

    public static IEnumerable<GradientCase> Rows =>
    [
        .. Products.Select(static p => new GradientCase(
            "MatMul",
            $"{Text(p.A)} by {Text(p.B)}",
            static (g, x) => [g.MatMul(x[0], x[1])],
            Generic(p.A),
            Generic(p.B))),
        new("MatMul", "a value and its own transpose", static (g, x) =>
            [g.MatMul(x[0], g.Transpose(x[0], 1, 0))], Generic(2, 3)),
        new("MatMul", "a value and itself", static (g, x) => [g.MatMul(x[0], x[0])], Generic(2, 2)),
        .. from transA in new[] { false, true }
           from transB in new[] { false, true }
           from scale in new[] { (Alpha: 1f, Beta: 1f), (Alpha: 0.75f, Beta: -2f), (Alpha: -1.5f, Beta: 0f) }
           from c in new long[]?[] { null, [], [2], [1, 2], [3, 1], [3, 2], [1], [1, 1] }
           select Gemm(transA, transB, scale.Alpha, scale.Beta, c),
    ];

    private static string Text(long[]? dims) => dims is null ? "none" : $"[{string.Join(",", dims)}]";

    /// <summary>[3, 4] by [4, 2].</summary>
    private static GradientCase Gemm(bool transA, bool transB, float alpha, float beta, long[]? c)
    {
        TestInput[] factors = [transA ? Generic(4, 3) : Generic(3, 4), transB ? Generic(2, 4) : Generic(4, 2)];
        NodeAttribute[] attributes =
        [
            NodeAttribute.Of("transA", transA ? 1L : 0L),
            NodeAttribute.Of("transB", transB ? 1L : 0L),
            NodeAttribute.Of("alpha", alpha),
            NodeAttribute.Of("beta", beta),
        ];
        return new GradientCase(
            "Gemm",
            FormattableString.Invariant($"transA {transA}, transB {transB}, alpha {alpha}, beta {beta}, C {Text(c)}"),
            (g, x) => [g.Op("Gemm", x, attributes)],
            c is null ? factors : [.. factors, Generic(c)]);
    }
}
