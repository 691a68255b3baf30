using OrtPeft.Adapters.Artifacts.Speed;
using OrtPeft.Adapters.Artifacts.Speed.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Numerics;

namespace OrtPeft.Inference.Tests.Kernels;

/// <summary>Inputs of every operator: rows of whole and of broken vectors, none at all, masks of all forms.</summary>
internal static class KernelCases
{
    private const float Low = -3.4028235e38f;

    public static IReadOnlyDictionary<string, KernelCase> ByName { get; } = All().ToDictionary(static c => c.Name);

    private static IEnumerable<KernelCase> All() =>
    [
        .. Gelus("whole vectors", 3, 64),
        .. Gelus("broken vectors", 2, 3, 37),
        .. Gelus("less than a vector", 1, 3),
        .. Gelus("no rows", 0, 16),
        .. Norms("whole vectors", 3, 64),
        .. Norms("broken vectors", 2, 2, 37),
        .. Norms("rows that leave the stack", 2, 5000),
        .. Norms("no rows", 0, 16),
        .. Masks("one for each batch row", [2, 1, 5, 19]),
        .. Masks("one for all", [5, 19]),
        .. Masks("one for all queries", [2, 1, 1, 19]),
        .. Masks("one for each head", [2, 3, 5, 19]),
        .. Masks("one for all keys", [2, 1, 5, 1]),
        Softmax("lowest numbers beyond the causal triangle", [Random(1, 2, 3, 24, 24), Causal(24, 0)]),
        Softmax("rows that see nothing", [Random(1, 2, 3, 24, 24), Causal(24, 9)]),
        Softmax("rows of broken vectors that see nothing", [Random(1, 2, 3, 19, 19), Causal(19, 9)]),
        Softmax("no keys", [Random(1, 2, 3, 4, 0), Random(2, 2, 1, 4, 0)]),
        Unmasked("whole vectors", 2, 3, 4, 64),
        Unmasked("broken vectors", 2, 3, 5, 19),
        Unmasked("no queries", 2, 3, 0, 16),
        CrossEntropy("whole vectors", 3, 64),
        CrossEntropy("broken vectors", 4, 41),
        CrossEntropy("no rows", 0, 16),
        Swap("odd lengths", 2, 3, 5, 7),
        Swap("no rows", 0, 3, 5, 7),
        new(FusedOps.SplitHeads, "odd lengths", [Random(1, 2, 5, 3 * 4 * 7), Tensor.Scalar(4L)], Split),
        new(FusedOps.MergeHeads, "odd lengths", [Random(1, 2, 4, 5, 7), Random(2, 2, 4, 5, 7), Random(3, 2, 4, 5, 7)],
            Merge),
        .. Attention("whole tiles", [2, 3, 32, 64], 64, Random(4, 2, 1, 32, 64)),
        .. Attention("broken tiles", [2, 3, 11, 7], 19, Random(4, 19)),
        .. Attention("heads of 80", [1, 2, 9, 80], 33, Random(4, 1, 2, 9, 33)),
        .. Attention("a causal mask over more than a block", [1, 2, 100, 16], 100, Causal(100, 0)),
        .. Attention("rows that see nothing", [1, 2, 24, 8], 24, Causal(24, 9)),
        .. Attention("one mask for all keys", [1, 2, 5, 8], 6, Random(4, 1, 1, 5, 1)),
        .. Attention("no queries", [1, 2, 0, 8], 6, Random(4, 1, 1, 1, 6)),
        .. Attention("no heads", [2, 0, 5, 8], 6, Random(4, 1, 1, 1, 6)),
        .. Products("one row", 5, 7, 1),
        .. Products("whole tiles", 96, 96, 16),
        .. Products("broken tiles", 50, 70, 2, 3),
        .. Products("more than a block", 400, 49, 9),
        .. Products("more than a stretch forwards", 3100, 50, 3),
        .. Products("more than a stretch backwards", 50, 3100, 3),
        .. Products("more rows than a piece has", 8, 60, 520),
        .. Products("no rows", 16, 16, 0),
    ];

    /// <summary>Numbers of a normal distribution with a deviation of 2.</summary>
    private static Tensor Random(long seed, params long[] dims)
    {
        var random = new SplitMix64(seed, $"kernels/{string.Join(',', dims)}");
        var numbers = new float[dims.Aggregate(1L, static (product, dim) => product * dim)];
        foreach (ref var number in numbers.AsSpan())
            number = random.NextNormal(2);
        return Tensor.Of<float>(numbers, dims);
    }

    private static IEnumerable<KernelCase> Gelus(string what, params long[] dims)
    {
        var (x, bias) = (Random(1, dims), Random(2, dims[^1]));
        yield return new(FusedOps.Gelu, what, [x, bias], static (g, x) => [Gelu(g, g.Add(x[0], x[1]))]);
        yield return new(FusedOps.GeluGrad, what, [Random(3, dims), x, bias], static (g, x) =>
        {
            // The slope of ½x(1 + tanh u) is ½(1 + tanh u) + ½x(1 − tanh² u)·u′.
            var sum = g.Add(x[1], x[2]);
            var tanh = Tanh(g, sum);
            var slope = g.Mul(g.Add(g.Mul(g.Mul(sum, sum), 3 * 0.044715), 1), Math.Sqrt(2 / Math.PI));
            var second = g.Mul(g.Mul(sum, g.Sub(g.ScalarLike(sum, 1), g.Mul(tanh, tanh))), slope);
            return [g.Mul(x[0], g.Mul(g.Add(g.Add(tanh, 1), second), 0.5))];
        });
    }

    private static Value Gelu(GraphBuilder g, Value x) => g.Mul(g.Mul(x, 0.5), g.Add(Tanh(g, x), 1));

    private static Value Tanh(GraphBuilder g, Value x) => g.Op(
        "Tanh", g.Mul(g.Add(x, g.Mul(g.Mul(g.Mul(x, x), x), 0.044715)), Math.Sqrt(2 / Math.PI)));

    private static IEnumerable<KernelCase> Norms(string what, params long[] dims)
    {
        var (x, epsilon) = (Random(1, dims), Tensor.Scalar(0.1f));
        var (scale, bias) = (Random(2, dims[^1]), Random(3, dims[^1]));
        yield return new(FusedOps.LayerNorm, what, [x, scale, bias, epsilon], static (g, x) =>
            [g.Add(g.Mul(Normal(g, x[0], x[3]).Normal, x[1]), x[2])]);
        yield return new(FusedOps.LayerNormGrad, what, [Random(4, dims), x, scale, epsilon], static (g, x) =>
        {
            var (normal, inverse) = Normal(g, x[1], x[3]);
            var gradient = g.Mul(x[0], x[2]);
            var slope = g.ReduceMean(g.Mul(gradient, normal), [-1]);
            return [g.Mul(g.Sub(g.Sub(gradient, g.ReduceMean(gradient, [-1])), g.Mul(normal, slope)), inverse)];
        });
    }

    private static (Value Normal, Value Inverse) Normal(GraphBuilder g, Value x, Value epsilon)
    {
        var centred = g.Sub(x, g.ReduceMean(x, [-1]));
        var variance = g.ReduceMean(g.Mul(centred, centred), [-1]);
        var inverse = g.Op("Reciprocal", g.Op("Sqrt", g.Add(variance, epsilon)));
        return (g.Mul(centred, inverse), inverse);
    }

    private static IEnumerable<KernelCase> Masks(string what, long[] dims)
    {
        long[] scores = [2, 3, 5, 19];
        var mask = Random(1, dims);
        yield return Softmax($"a mask, {what}", [Random(2, scores), mask]);
        yield return new(
            FusedOps.MaskedSoftmaxGrad, $"a mask, {what}", [Random(3, scores), Random(4, scores), mask],
            static (g, x) => [g.Mul(SoftmaxGrad(g, x[0], x[1]), x[2])]);
    }

    private static KernelCase Unmasked(string what, params long[] dims) => new(
        FusedOps.SoftmaxGrad, what, [Random(3, dims), Random(4, dims)],
        static (g, x) => [SoftmaxGrad(g, x[0], x[1])]);

    private static KernelCase Softmax(string what, IReadOnlyList<Tensor> inputs) =>
        new(FusedOps.MaskedSoftmax, what, inputs, static (g, x) =>
            [g.Op("Softmax", [g.Add(x[0], x[1])], NodeAttribute.Of("axis", -1L))]);

    private static Value SoftmaxGrad(GraphBuilder g, Value dP, Value p)
    {
        var weighted = g.Mul(dP, p);
        return g.Sub(weighted, g.Mul(p, g.ReduceSum(weighted, [-1])));
    }

    /// <summary>[1, 1, n, n], where the first queries see nothing.</summary>
    private static Tensor Causal(int n, int blind)
    {
        var mask = new float[n * n];
        for (var query = 0; query < n; query++)
        {
            for (var key = 0; key < n; key++)
                mask[(query * n) + key] = key <= query && query >= blind ? 0 : Low;
        }

        return Tensor.Of<float>(mask, [1, 1, n, n]);
    }

    private static KernelCase CrossEntropy(string what, int rows, int vocabulary)
    {
        var targets = Enumerable.Range(0, rows).Select(row => (long)((row * 17) + 5) % vocabulary).ToArray();
        return new(FusedOps.CrossEntropy, what, [Random(1, rows, vocabulary), Tensor.Of<long>(targets, [rows, 1])],
            static (g, x) =>
            {
                var logP = g.LogSoftmax(x[0]);
                return [g.Op("Exp", logP), g.Op("GatherElements", [logP, x[1]], NodeAttribute.Of("axis", 1L))];
            });
    }

    private static KernelCase Swap(string what, params long[] dims) =>
        new(FusedOps.SwapAxes, what, [Random(1, dims)], static (g, x) => [g.Transpose(x[0], 0, 2, 1, 3)]);

    /// <summary>Attention of queries [batch, heads, queries, d], and the gradient from probabilities of its own, some
    /// of them 0.</summary>
    private static IEnumerable<KernelCase> Attention(string what, long[] queries, long keys, Tensor mask)
    {
        long[] ofKeys = [queries[0], queries[1], keys, queries[3]];
        var (q, k, v) = (Random(1, queries), Random(2, ofKeys), Random(3, ofKeys));
        yield return new(FusedOps.Attention, what, [q, k, v, mask], static (g, x) =>
        {
            var p = g.Op("Softmax", [g.Add(Scores(g, x[0], x[1]), x[3])], NodeAttribute.Of("axis", -1L));
            return [g.MatMul(p, x[2]), p];
        });
        // Without queries, ONNX Runtime's products have no defined result.
        if (queries[2] == 0)
            yield break;
        var factors = Tensor.Of<float>(
            [.. mask.ToFloat32().Select(static m => m < -1e30f ? 0 : m)], mask.Dims.AsSpan());
        var scores = Random(6, [.. queries[..3], keys]);
        var p = Tensor.Of<float>([.. scores.ToFloat32().Select(static s => Math.Max(s, 0) / 4)], scores.Dims.AsSpan());
        yield return new(FusedOps.AttentionGrad, what, [Random(5, queries), q, k, v, p, factors], static (g, x) =>
        {
            var dS = g.Mul(SoftmaxGrad(g, Scores(g, x[0], x[3]), x[4]), x[5]);
            return [
                g.MatMul(dS, x[2]),
                g.MatMul(g.Transpose(dS, 0, 1, 3, 2), x[1]),
                g.MatMul(g.Transpose(x[4], 0, 1, 3, 2), x[0]),
            ];
        });
    }

    private static Value Scores(GraphBuilder g, Value rows, Value columns) =>
        g.MatMul(rows, g.Transpose(columns, 0, 1, 3, 2));

    /// <summary>X [..., rows] · W [rows, columns], and X [..., columns] · Wᵀ, packed from either layout.</summary>
    private static IEnumerable<KernelCase> Products(string what, int rows, int columns, params long[] others)
    {
        var (matrix, turned) = (Random(1, rows, columns), Random(1, columns, rows));
        var dims = Tensor.Vector<long>(rows, columns);
        yield return new(FusedOps.MatMul, what, [Random(2, [.. others, rows]), PackedMatrix.Pack(matrix), dims],
            (g, x) => [g.MatMul(x[0], g.Constant(matrix))]);
        yield return new(
            FusedOps.MatMul, $"{what}, packed from rows", [
                Random(2, [.. others, rows]), PackedMatrix.Pack(turned, isTransposed: true), dims],
            (g, x) => [g.MatMul(x[0], g.Transpose(g.Constant(turned), 1, 0))]);
        yield return new(
            FusedOps.MatMulTransposed, what, [Random(2, [.. others, columns]), PackedMatrix.Pack(matrix), dims],
            (g, x) => [g.MatMul(x[0], g.Transpose(g.Constant(matrix), 1, 0))]);
    }

    private static IReadOnlyList<Value> Split(GraphBuilder g, IReadOnlyList<Value> x)
    {
        var heads = g.Op("Reshape", x[0], g.Int64(2, 5, 3, 4, 7));
        return [.. Enumerable.Range(0, 3).Select(
            part => g.Transpose(g.Gather(heads, g.Int64Scalar(part), 2), 0, 2, 1, 3))];
    }

    private static IReadOnlyList<Value> Merge(GraphBuilder g, IReadOnlyList<Value> x) =>
        [g.Concat(2, [.. x.Select(part => g.Reshape(g.Transpose(part, 0, 2, 1, 3), 2, 5, 28))])];
}
