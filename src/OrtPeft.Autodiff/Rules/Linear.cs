using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Autodiff.Rules;

/// <summary>Matrix products.</summary>
internal static class Linear
{
    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows { get; } =
    [
        (("MatMul", 1), MatMul),
        (("Gemm", 7), Gemm),
        (("Einsum", 12), Einsum.Rule),
        (("Conv", 1), Convolution.Rule),
    ];

    /// <summary>
    /// Y = A·B gives dA = dY·Bᵀ and dB = Aᵀ·dY. When B is one matrix for all of A's batches (a weight), the batches
    /// become rows and Gemm reads B transposed in place: no second copy of the weight.
    /// </summary>
    private static IReadOnlyList<Value?> MatMul(RuleContext c)
    {
        var (a, b) = (c.X(0), c.X(1));
        var (rankA, rankB) = (c.Rank(a), c.Rank(b));
        if (rankB == 2 && rankA >= 2)
            return WeightMatMul(c, a, b);
        Value dY = c.DY;
        var a2 = rankA == 1 ? c.G.Unsqueeze(a, 0) : a;
        var b2 = rankB == 1 ? c.G.Unsqueeze(b, 1) : b;
        if (rankA == 1)
            dY = c.G.Unsqueeze(dY, rankB == 1 ? 0 : -2);
        if (rankB == 1)
            dY = c.G.Unsqueeze(dY, -1);
        var dA = c.G.MatMul(dY, Transposed(c, b2));
        var dB = c.G.MatMul(Transposed(c, a2), dY);
        return [rankA == 1 ? Dropped(c, dA, a) : dA, rankB == 1 ? Dropped(c, dB, b) : dB];
    }

    private static IReadOnlyList<Value?> WeightMatMul(RuleContext c, Value a, Value b)
    {
        var isMatrix = c.Rank(a) == 2;
        var shape = c.ShapeOf(b);
        var dY = isMatrix ? c.DY : Rows2D(c, c.DY, shape[1].Value);
        var rows = isMatrix ? a : Rows2D(c, a, shape[0].Value);
        var dA = c.G.Gemm(dY, b, transB: true);
        return [isMatrix ? dA : c.G.ReshapeLike(dA, a), c.G.Gemm(rows, dY, transA: true)];
    }

    /// <summary>All axes but the last become one.</summary>
    private static Value Rows2D(RuleContext c, Value value, long? columns)
    {
        if (columns is > 0)
            return c.G.Reshape(value, -1, columns.Value);
        return c.G.Op("Flatten", [value], NodeAttribute.Of("axis", -1L));
    }

    /// <summary>
    /// Y = α·A′·B′ + β·C, where A′ and B′ may be transposed: dA′ = α·dY·B′ᵀ, dB′ = α·A′ᵀ·dY, dC = β·dY.
    /// </summary>
    private static IReadOnlyList<Value?> Gemm(RuleContext c)
    {
        var (a, b) = (c.X(0), c.X(1));
        var (transA, transB) = (c.Node.Attributes.Int("transA", 0) != 0, c.Node.Attributes.Int("transB", 0) != 0);
        var alpha = c.Node.Attributes.Float("alpha", 1);
        var dA = transA
            ? c.G.Gemm(b, c.DY, transA: transB, transB: true, alpha: alpha)
            : c.G.Gemm(c.DY, b, transB: !transB, alpha: alpha);
        var dB = transB
            ? c.G.Gemm(c.DY, a, transA: true, transB: transA, alpha: alpha)
            : c.G.Gemm(a, c.DY, transA: !transA, alpha: alpha);
        var beta = c.Node.Attributes.Float("beta", 1);
        return c.PadToInputs(dA, dB, beta == 1 ? c.DY : c.DY * beta);
    }

    private static Value Transposed(RuleContext c, Value value)
    {
        var rank = c.Rank(value);
        var perm = Enumerable.Range(0, rank).Select(static i => (long)i).ToArray();
        (perm[rank - 1], perm[rank - 2]) = (perm[rank - 2], perm[rank - 1]);
        return c.G.Transpose(value, perm);
    }

    /// <summary>Sums the batches of a vector operand's gradient and drops the axis that made it a matrix.</summary>
    private static Value Dropped(RuleContext c, Value gradient, Value vector)
    {
        var axes = Enumerable.Range(0, c.Rank(gradient) - 2).Select(static i => (long)i).ToArray();
        var summed = axes.Length == 0 ? gradient : c.G.ReduceSum(gradient, axes, keepDims: false);
        return c.G.ReshapeLike(summed, vector);
    }
}
