using System.Runtime.InteropServices;
using OrtPeft.Kernels.Layouts;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Kernels.Tests;

/// <summary>Inputs of every operator: rows of whole and of broken vectors, none at all, masks of all forms.</summary>
internal static class KernelCases
{
    private const float Low = -3.4028235e38f;

    public static IReadOnlyDictionary<string, KernelCase> ByName { get; } = All().ToDictionary(static c => c.Name);

    private static IEnumerable<KernelCase> All() =>
    [
        .. Activations("whole vectors", 3, 64),
        .. Activations("broken vectors", 2, 3, 37),
        .. Activations("less than a vector", 1, 3),
        .. Activations("no rows", 0, 16),
        .. Norms("whole vectors", 3, 64),
        .. Norms("broken vectors", 2, 2, 37),
        .. Norms("rows that leave the stack", 2, 5000),
        .. Norms("no rows", 0, 16),
        .. RmsNorms("whole vectors", 3, 64),
        .. RmsNorms("broken vectors", 2, 2, 37),
        .. RmsNorms("no rows", 0, 16),
        .. Masks("one for each batch row", [2, 1, 5, 19]),
        .. Masks("one for all", [5, 19]),
        .. Masks("one for all queries", [2, 1, 1, 19]),
        .. Masks("one for each head", [2, 3, 5, 19]),
        .. Masks("one for all keys", [2, 1, 5, 1]),
        Softmax("lowest numbers beyond the causal triangle", [Random(1, 2, 3, 24, 24), Causal(24, 0)]),
        Softmax("rows that see nothing", [Random(1, 2, 3, 24, 24), Causal(24, 9)]),
        Softmax("rows of broken vectors that see nothing", [Random(1, 2, 3, 19, 19), Causal(19, 9)]),
        Softmax("no keys", [Random(1, 2, 3, 4, 0), Random(2, 2, 1, 4, 0)]),
        Guarded(),
        Sinks(),
        Unmasked("whole vectors", 2, 3, 4, 64),
        Unmasked("broken vectors", 2, 3, 5, 19),
        Unmasked("no queries", 2, 3, 0, 16),
        CrossEntropy("whole vectors", 3, 64),
        CrossEntropy("broken vectors", 4, 41),
        CrossEntropy("no rows", 0, 16),
        .. HeadLosses("one block", 37, 50, 9),
        .. HeadLosses("no rows", 16, 48, 0),
        .. HeadLosses("blocks of unequal lengths", 5, 9000, 1500),
        .. Rotary("whole vectors", [2, 3, 5, 64], [2, 1, 5, 64]),
        .. Rotary("broken vectors", [2, 2, 3, 5, 38], [5, 38]),
        .. Rotary("one row", [1, 6], [1, 6]),
        .. Rotary("no rows", [2, 3, 0, 8], [1, 1, 0, 8]),
        new("After", "another value of other axes", [Random(1, 2, 3, 5), Random(2, 7)], static (g, x) =>
            [g.Op("Identity", x[0])]),
        .. Narrowings("whole vectors", 3, 64),
        .. Narrowings("broken vectors", 2, 3, 37),
        .. Narrowings("more than a piece", 9, 2000),
        .. Narrowings("no rows", 0, 16),
        Dropout("whole vectors", 0.5, 3, 64),
        Dropout("broken vectors", 0.1, 2, 3, 37),
        Dropout("less than a vector", 0.9, 5, 3),
        Dropout("all dropped but the largest bits", 1, 2, 16),
        Dropout("no rows", 0.5, 0, 16),
        DropoutOfPicked("whole vectors", 64, 5, 0, 7, 1_000_000),
        DropoutOfPicked("broken vectors", 37, 3, 3, 2),
        DropoutOfPicked("none", 16),
        Swap("odd lengths", 2, 3, 5, 7),
        Swap("no rows", 0, 3, 5, 7),
        new("SplitHeads", "odd lengths", [Random(1, 2, 5, 3 * 4 * 7), Tensor.Scalar(4L)], Split),
        new("MergeHeads", "odd lengths", [Random(1, 2, 4, 5, 7), Random(2, 2, 4, 5, 7), Random(3, 2, 4, 5, 7)],
            Merge),
        .. Attention("whole tiles", [2, 3, 32, 64], 64, Random(4, 2, 1, 32, 64)),
        .. Attention("broken tiles", [2, 3, 11, 7], 19, Random(4, 19)),
        .. Attention("heads of 80", [1, 2, 9, 80], 33, Random(4, 1, 2, 9, 33)),
        .. Attention("a causal mask over more than a block", [1, 2, 100, 16], 100, Causal(100, 0)),
        .. Attention("a causal mask over more than two chunks", [1, 2, 600, 16], 600, Causal(600, 0)),
        .. Attention("more keys than queries, in chunks", [2, 1, 37, 8], 700, Random(4, 2, 1, 37, 700)),
        .. Attention("more queries than keys, in chunks", [1, 2, 530, 7], 41, Lengths(41, 17)),
        .. Attention("a window that chunks leave", [1, 1, 700, 8], 700, Window(700, 300)),
        .. Attention("a window within a chunk", [1, 2, 600, 8], 600, Window(600, 21)),
        .. Attention("one query behind many keys", [2, 2, 1, 8], 300, Tensor.Of<float>([0], [1])),
        .. Attention("rows that see nothing", [1, 2, 24, 8], 24, Causal(24, 9)),
        .. Attention("rows that see nothing, in chunks", [1, 1, 600, 8], 600, Causal(600, 290)),
        .. Attention("one mask for all keys", [1, 2, 5, 8], 6, Random(4, 1, 1, 5, 1)),
        .. Attention("rows of unequal lengths", [2, 2, 40, 8], 50, Lengths(50, 50, 17)),
        .. Attention("nothing hidden", [1, 2, 37, 8], 37, Tensor.Of<float>([0], [1])),
        .. Attention("heads in groups", [2, 6, 40, 8], 50, Lengths(50, 50, 17), groups: 2),
        .. Attention("heads in groups, broken tiles", [1, 3, 11, 7], 19, Random(4, 19), groups: 1),
        .. Attention("no queries", [1, 2, 0, 8], 6, Random(4, 1, 1, 1, 6)),
        .. Attention("no heads", [2, 0, 5, 8], 6, Random(4, 1, 1, 1, 6)),
        .. SelfAttention("whole tiles", [2, 32, 3, 64], Random(4, 2, 1, 32, 32)),
        .. SelfAttention("broken tiles", [2, 11, 3, 7], Random(4, 11)),
        .. SelfAttention("a causal mask over more than a block", [1, 100, 2, 16], Causal(100, 0)),
        .. SelfAttention("a causal mask over more than two chunks", [2, 600, 2, 5], Causal(600, 0)),
        .. SelfAttention("rows that see nothing", [2, 24, 2, 32], Causal(24, 9)),
        .. SelfAttention("no rows", [0, 5, 2, 8], Random(4, 5)),
        .. Products("one row", 5, 7, 1),
        .. Products("whole tiles", 96, 96, 16),
        .. Products("broken tiles", 50, 70, 2, 3),
        .. Products("more than a block", 400, 49, 9),
        .. Products("more than a stretch forwards", 3100, 50, 3),
        .. Products("more than a stretch backwards", 50, 3100, 3),
        .. Products("more rows than a piece has", 8, 60, 520),
        .. Products("no rows", 16, 16, 0),
        .. Epilogues(Packing.Bf16, "broken tiles", 50, 70, 2, 3),
        .. Epilogues(Packing.Bf16, "whole tiles, more than a block", 400, 96, 16),
        .. Packing.InFewBits.Append(Packing.Bf16).SelectMany(static packing => (IEnumerable<KernelCase>)[
            .. Products(packing, "one row", 5, 7, 1),
            .. Products(packing, "whole tiles", 96, 96, 16),
            .. Products(packing, "blocks that end anywhere", 397, 49, 9),
            .. Products(packing, "more than a stretch forwards", 3100, 50, 3),
            .. Products(packing, "more than a stretch backwards", 50, 3100, 3),
            .. Products(packing, "more rows than a piece has", 8, 60, 520),
            .. Loras(packing, "broken tiles", 50, 70, 4, 2, 3),
            .. Loras(packing, "whole tiles", 96, 48, 8, 16),
        ]),
        .. Epilogues("whole tiles", 96, 96, 16),
        .. Epilogues("broken tiles", 50, 70, 2, 3),
        .. Epilogues("more than a block", 400, 390, 9),
        .. Epilogues("no rows", 16, 16, 0),
        .. InStrips("whole tiles", 96, 96, 16),
        .. InStrips("broken tiles", 50, 70, 2, 3),
        .. InStrips("more than a block", 400, 390, 9),
        .. InStrips("more than a stretch", 3100, 3130, 2, 5),
        .. Loras("whole tiles", 96, 96, 8, 16),
        .. Loras("broken tiles", 50, 70, 5, 2, 3),
        .. Loras("more than a block and a piece", 400, 390, 17, 150),
        .. Loras("more than a stretch", 3100, 3090, 2, 9),
        .. Loras("the largest rank", 70, 50, 64, 40),
        .. Loras("no rows", 16, 16, 4, 0),
        LowRank("whole tiles", 32, 64, 8),
        LowRank("broken tiles", 19, 37, 5),
        LowRank("thicker than a tile", 9, 33, 17),
        LowRank("more rows than a piece has", 150, 300, 1),
        LowRank("no rows", 0, 16, 4),
        LowRank("no rows and much to write over", 0, 4096, 64),
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

    /// <summary>f and f′ in standard operators, by the operator's name.</summary>
    private static (string Name, Func<GraphBuilder, Value, Value> Of, Func<GraphBuilder, Value, Value> Slope)[]
        Functions =>
    [
        ("Gelu", Gelu, GeluSlope),
        ("ErfGelu", static (g, x) => g.Mul(x, Normal(g, x)), static (g, x) =>
            g.Add(Normal(g, x), g.Mul(g.Mul(x, g.Op("Exp", g.Mul(g.Mul(x, x), -0.5))), 1 / Math.Sqrt(2 * Math.PI)))),
        ("Silu", static (g, x) => Swish(g, x, 1), static (g, x) => SwishSlope(g, x, 1)),
        ("QuickGelu", static (g, x) => Swish(g, x, 1.702), static (g, x) => SwishSlope(g, x, 1.702)),
        ("Relu", static (g, x) => g.Op("Relu", x), static (g, x) =>
            g.Cast(g.Op("Greater", x, g.ScalarLike(x, 0)), x.Type)),
        ("SquaredRelu", static (g, x) => g.Pow(g.Op("Relu", x), 2), static (g, x) => g.Mul(g.Op("Relu", x), 2)),
    ];

    /// <summary>Every activation, with a bias and without, and as a gate.</summary>
    private static IEnumerable<KernelCase> Activations(string what, params long[] dims)
    {
        var (dY, x, up, bias) = (Random(3, dims), Random(1, dims), Random(2, dims), Random(4, dims[^1]));
        foreach (var (name, of, slope) in Functions)
        {
            yield return new($"Gated{name}", what, [x, up], (g, x) => [g.Mul(of(g, x[0]), x[1])]);
            yield return new($"Gated{name}Grad", what, [dY, x, up], (g, x) =>
                [g.Mul(g.Mul(x[0], x[2]), slope(g, x[1])), g.Mul(x[0], of(g, x[1]))]);
            if (name == "Relu")
                continue;
            yield return new(name, what, [x], (g, x) => [of(g, x[0])]);
            yield return new(name, $"{what}, a bias", [x, bias], (g, x) => [of(g, g.Add(x[0], x[1]))]);
            yield return new($"{name}Grad", what, [dY, x], (g, x) => [g.Mul(x[0], slope(g, x[1]))]);
            yield return new($"{name}Grad", $"{what}, a bias", [dY, x, bias], (g, x) =>
                [g.Mul(x[0], slope(g, g.Add(x[1], x[2])))]);
        }
    }

    private static Value Normal(GraphBuilder g, Value x) =>
        g.Mul(g.Add(g.Op("Erf", g.Mul(x, Math.Sqrt(0.5))), 1), 0.5);

    private static Value Swish(GraphBuilder g, Value x, double alpha) =>
        g.Mul(x, g.Op("Sigmoid", g.Mul(x, alpha)));

    /// <summary>σ(αx)·(1 + αx·(1 − σ(αx))).</summary>
    private static Value SwishSlope(GraphBuilder g, Value x, double alpha)
    {
        var sigma = g.Op("Sigmoid", g.Mul(x, alpha));
        return g.Mul(sigma, g.Add(g.Mul(g.Mul(x, alpha), g.Sub(g.ScalarLike(sigma, 1), sigma)), 1));
    }

    /// <summary>The slope of ½x(1 + tanh u), which is ½(1 + tanh u) + ½x(1 − tanh² u)·u′.</summary>
    private static Value GeluSlope(GraphBuilder g, Value x)
    {
        var tanh = Tanh(g, x);
        var slope = g.Mul(g.Add(g.Mul(g.Mul(x, x), 3 * 0.044715), 1), Math.Sqrt(2 / Math.PI));
        var second = g.Mul(g.Mul(x, g.Sub(g.ScalarLike(x, 1), g.Mul(tanh, tanh))), slope);
        return g.Mul(g.Add(g.Add(tanh, 1), second), 0.5);
    }

    private static Value Gelu(GraphBuilder g, Value x) => g.Mul(g.Mul(x, 0.5), g.Add(Tanh(g, x), 1));

    private static Value Tanh(GraphBuilder g, Value x) => g.Op(
        "Tanh", g.Mul(g.Add(x, g.Mul(g.Mul(g.Mul(x, x), x), 0.044715)), Math.Sqrt(2 / Math.PI)));

    private static IEnumerable<KernelCase> Norms(string what, params long[] dims)
    {
        var (x, epsilon) = (Random(1, dims), Tensor.Scalar(0.1f));
        var (scale, bias) = (Random(2, dims[^1]), Random(3, dims[^1]));
        yield return new("LayerNorm", what, [x, scale, bias, epsilon], static (g, x) =>
            [g.Add(g.Mul(Normal(g, x[0], x[3]).Normal, x[1]), x[2])]);
        Tensor[] back = [Random(4, dims), x, scale, epsilon];
        yield return new("LayerNormGrad", what, back, static (g, x) => [NormGrad(g, x)]);
        yield return new("LayerNormGrad", $"{what}, an addend", [.. back, Random(5, dims)], static (g, x) =>
            [g.Add(NormGrad(g, x), x[4])]);
    }

    private static Value NormGrad(GraphBuilder g, IReadOnlyList<Value> x)
    {
        var (normal, inverse) = Normal(g, x[1], x[3]);
        var gradient = g.Mul(x[0], x[2]);
        var slope = g.ReduceMean(g.Mul(gradient, normal), [-1]);
        return g.Mul(g.Sub(g.Sub(gradient, g.ReduceMean(gradient, [-1])), g.Mul(normal, slope)), inverse);
    }

    private static (Value Normal, Value Inverse) Normal(GraphBuilder g, Value x, Value epsilon)
    {
        var centred = g.Sub(x, g.ReduceMean(x, [-1]));
        var variance = g.ReduceMean(g.Mul(centred, centred), [-1]);
        var inverse = g.Op("Reciprocal", g.Op("Sqrt", g.Add(variance, epsilon)));
        return (g.Mul(centred, inverse), inverse);
    }

    private static IEnumerable<KernelCase> RmsNorms(string what, params long[] dims)
    {
        var (x, scale, epsilon) = (Random(1, dims), Random(2, dims[^1]), Tensor.Scalar(0.1f));
        yield return new("RmsNorm", what, [x, scale, epsilon], static (g, x) =>
            [g.Mul(g.Mul(x[0], Inverse(g, x[0], x[2])), x[1])]);
        Tensor[] back = [Random(4, dims), x, scale, epsilon];
        yield return new("RmsNormGrad", what, back, static (g, x) => [RmsNormGrad(g, x)]);
        yield return new("RmsNormGrad", $"{what}, an addend", [.. back, Random(5, dims)], static (g, x) =>
            [g.Add(RmsNormGrad(g, x), x[4])]);
    }

    private static Value RmsNormGrad(GraphBuilder g, IReadOnlyList<Value> x)
    {
        var inverse = Inverse(g, x[1], x[3]);
        var (normal, gradient) = (g.Mul(x[1], inverse), g.Mul(x[0], x[2]));
        var slope = g.ReduceMean(g.Mul(gradient, normal), [-1]);
        return g.Mul(g.Sub(gradient, g.Mul(normal, slope)), inverse);
    }

    private static Value Inverse(GraphBuilder g, Value x, Value epsilon) =>
        g.Op("Reciprocal", g.Op("Sqrt", g.Add(g.ReduceMean(g.Mul(x, x), [-1]), epsilon)));

    private static IEnumerable<KernelCase> Masks(string what, long[] dims)
    {
        long[] scores = [2, 3, 5, 19];
        var mask = Random(1, dims);
        yield return Softmax($"a mask, {what}", [Random(2, scores), mask]);
        yield return new(
            "MaskedSoftmaxGrad", $"a mask, {what}", [Random(3, scores), Random(4, scores), mask],
            static (g, x) => [g.Mul(SoftmaxGrad(g, x[0], x[1]), x[2])]);
    }

    private static KernelCase Unmasked(string what, params long[] dims) => new(
        "MaskedSoftmaxGrad", what, [Random(3, dims), Random(4, dims)],
        static (g, x) => [SoftmaxGrad(g, x[0], x[1])]);

    private static KernelCase Softmax(string what, IReadOnlyList<Tensor> inputs) =>
        new("MaskedSoftmax", what, inputs, static (g, x) =>
            [g.Op("Softmax", [g.Add(x[0], x[1])], NodeAttribute.Of("axis", -1L))]);

    /// <summary>−∞ hides all keys of the second query.</summary>
    private static KernelCase Guarded() => new(
        "MaskedSoftmax", "a query that sees nothing, guarded",
        [
            Random(1, 2, 3, 4, 19),
            Tensor.Of<float>([0, float.NegativeInfinity, 0, 0], [1, 1, 4, 1]),
            null,
            Tensor.Scalar(0f),
        ],
        static (g, x) =>
        {
            var p = g.Op("Softmax", [g.Add(x[0], x[1])], NodeAttribute.Of("axis", -1L));
            return [g.Where(g.Op("IsNaN", p), g.ScalarLike(p, 0), p)];
        });

    private static KernelCase Sinks() => new(
        "MaskedSoftmax", "sinks, and a query that sees nothing",
        [Random(1, 2, 3, 19, 19), Causal(19, 2), null, null, Random(2, 3)],
        static (g, x) =>
        {
            var sinks = g.Expand(g.Reshape(x[4], 1, 3, 1, 1), g.Int64(2, 3, 19, 1));
            var p = g.Op("Softmax", [g.Concat(3, g.Add(x[0], x[1]), sinks)], NodeAttribute.Of("axis", -1L));
            return [g.Op("Slice", p, g.Int64(0), g.Int64(-1), g.Int64(3))];
        });

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

    /// <summary>[1, 1, n, n], where a query sees some keys, itself the last.</summary>
    private static Tensor Window(int n, int size) => Tensor.Of<float>(
        [.. Enumerable.Range(0, n * n).Select(i => i % n <= i / n && i % n > (i / n) - size ? 0 : Low)], [1, 1, n, n]);

    /// <summary>[rows, 1, 1, keys], where each row of the batch sees its first keys.</summary>
    private static Tensor Lengths(int keys, params int[] seen) => Tensor.Of<float>(
        [.. seen.SelectMany(n => Enumerable.Range(0, keys).Select(key => key < n ? 0 : Low))],
        [seen.Length, 1, 1, keys]);

    private static KernelCase CrossEntropy(string what, int rows, int vocabulary)
    {
        var targets = Enumerable.Range(0, rows).Select(row => (long)((row * 17) + 5) % vocabulary).ToArray();
        return new("CrossEntropy", what, [Random(1, rows, vocabulary), Tensor.Of<long>(targets, [rows, 1])],
            static (g, x) =>
            {
                var logP = g.LogSoftmax(x[0]);
                return [g.Op("Exp", logP), g.Op("GatherElements", [logP, x[1]], NodeAttribute.Of("axis", 1L))];
            });
    }

    private static IEnumerable<KernelCase> HeadLosses(string what, int depth, int vocabulary, int rows)
    {
        var targets = Enumerable.Range(0, rows).Select(row => (long)((row * 17) + 5) % vocabulary).ToArray();
        foreach (var packing in Packing.InFewBits.Take(1).Append(Packing.Float32))
        {
            var (packed, matrix) = packing.Of(Random(1, depth, vocabulary), false);
            Tensor[] inputs =
                [Random(2, rows, depth), packed, Tensor.Vector<long>(depth, vocabulary), Tensor.Of<long>(targets, [rows, 1])];
            yield return new("HeadLoss", what + packing.Name, inputs, (g, x) =>
            {
                var logP = g.LogSoftmax(g.MatMul(x[0], g.Constant(matrix)));
                return
                [
                    g.MatMul(g.Op("Exp", logP), g.Transpose(g.Constant(matrix), 1, 0)),
                    g.Op("GatherElements", [logP, x[3]], NodeAttribute.Of("axis", 1L)),
                ];
            });
        }
    }

    private static IEnumerable<KernelCase> Rotary(string what, long[] dims, long[] table)
    {
        Tensor[] inputs = [Random(1, dims), Random(2, table), Random(3, table)];
        yield return new("Rotary", what, inputs, (g, x) =>
            [g.Add(g.Mul(x[0], x[1]), g.Mul(Swapped(g, x[0]), x[2]))]);
        yield return new("RotaryGrad", what, inputs, (g, x) =>
            [g.Add(g.Mul(x[0], x[1]), Swapped(g, g.Mul(x[0], x[2])))]);

        Value Swapped(GraphBuilder g, Value x)
        {
            var halves = g.Split(x, -1, dims[^1] / 2, dims[^1] / 2);
            return g.Concat(-1, halves[1], halves[0]);
        }
    }

    /// <summary>By the hash in standard operators.</summary>
    private static KernelCase Dropout(string what, double ratio, params long[] dims) => new(
        "SeededDropout",
        what,
        [
            Random(1, dims), Tensor.Scalar(0xDEADBEEF), Tensor.Scalar(0x12345678u),
            Tensor.Scalar((uint)Math.Min(ratio * Math.Pow(2, 32), uint.MaxValue)), Tensor.Scalar(1.25f),
        ],
        static (g, x) =>
        {
            var (bits, shape) = SeededBits.Of(g.Term(x[0]), x[1], x[2]);
            var keeps = g.ReshapeTo(g.Op("GreaterOrEqual", bits, x[3]), shape);
            return [g.Op("Where", keeps, g.Mul(x[0], x[4]), g.Scalar(ElementType.Float, 0))];
        });

    /// <summary>Each element's bits are those at its row's place, which the case numbers itself.</summary>
    private static KernelCase DropoutOfPicked(string what, int length, params long[] places)
    {
        var (first, second, threshold) = (0xDEADBEEFu, 0x12345678u, 1u << 31);
        bool[] keeps = [.. places.SelectMany(p => Enumerable.Range(0, length).Select(i => Hash((uint)((p * length) + i)) >= threshold))];
        return new(
            "SeededDropout",
            $"picked rows, {what}",
            [
                Random(1, places.Length, length), Tensor.Scalar(first), Tensor.Scalar(second), Tensor.Scalar(threshold),
                Tensor.Scalar(1.25f), Tensor.Vector(places),
            ],
            (g, x) => [g.Op("Where", g.Constant(Tensor.Of<bool>(keeps, [places.Length, length])), g.Mul(x[0], x[4]), g.Scalar(ElementType.Float, 0))]);

        uint Hash(uint element)
        {
            var hash = (element * SeededBits.Spread) + first;
            foreach (var factor in SeededBits.Factors)
            {
                var high = hash >> 16;
                hash = ((hash + high) * factor) + (high * high) + second;
            }

            return hash + (hash >> 16);
        }
    }

    private static IEnumerable<KernelCase> Narrowings(string what, params long[] dims) =>
    [
        new("Narrow", what, [Random(1, dims)], static (g, x) =>
            [g.Op("Identity", x[0]), g.Cast(g.Cast(x[0], ElementType.BFloat16), ElementType.Float)]),
        new("Widen", what, [InBf16(Random(1, dims)), Random(2, 7)], static (g, x) =>
            [g.Cast(x[0], ElementType.Float)]),
    ];

    private static Tensor InBf16(Tensor numbers)
    {
        ushort[] bits = [.. numbers.ToFloat32().Select(PackedBf16.Round)];
        return new(ElementType.BFloat16, numbers.Dims, new MemoryTensorData(MemoryMarshal.AsBytes<ushort>(bits).ToArray()));
    }

    private static KernelCase Swap(string what, params long[] dims) =>
        new("SwapAxes", what, [Random(1, dims)], static (g, x) => [g.Transpose(x[0], 0, 2, 1, 3)]);

    /// <summary>The same of rows [batch, positions, 3, heads, d] whose queries are multiplied.</summary>
    private static IEnumerable<KernelCase> SelfAttention(string what, long[] dims, Tensor mask)
    {
        var (batch, positions, heads, d) = (dims[0], dims[1], dims[2], dims[3]);
        long[] ofHeads = [batch, heads, positions, d];
        var x = Random(1, batch, positions, 3 * heads * d);
        Tensor[] shared = [x, Tensor.Scalar(heads), Tensor.Scalar(0.3f)];
        var cases = Attention(what, ofHeads, positions, mask).ToArray();
        var forward = new KernelCase("SelfAttention", what, [.. shared, mask], (g, x) =>
        {
            var (q, k, v) = Heads(g, x[0]);
            var results = cases[0].Expected(g, [q, k, v, x[2], x[3]]);
            return [ToRows(g, results[0]), .. results.Skip(1)];
        });
        yield return forward;
        var results = forward.Compute();
        yield return new(
            "SelfAttentionGrad", what,
            [
                Random(5, batch, positions, heads * d), .. shared, results["y0"], results["y1"], results["y2"],
                .. cases[1].Inputs.Skip(8),
            ],
            (g, x) =>
            {
                var (q, k, v) = Heads(g, x[1]);
                var (dO, o) = (ToHeads(g, x[0]), ToHeads(g, x[4]));
                var results = cases[1].Expected(g, [dO, q, k, v, x[3], o, .. x.Skip(5)]);
                return [g.Concat(2, ToRows(g, results[0]), ToRows(g, results[1]), ToRows(g, results[2]))];
            });

        (Value Q, Value K, Value V) Heads(GraphBuilder g, Value x)
        {
            var all = g.ReshapeTo(x, g.Int64(batch, positions, 3, heads, d));
            Value Part(int part) => g.Transpose(g.Gather(all, g.Int64Scalar(part), 2), 0, 2, 1, 3);
            return (Part(0), Part(1), Part(2));
        }

        Value ToHeads(GraphBuilder g, Value x) =>
            g.Transpose(g.ReshapeTo(x, g.Int64(batch, positions, heads, d)), 0, 2, 1, 3);

        Value ToRows(GraphBuilder g, Value x) =>
            g.ReshapeTo(g.Transpose(x, 0, 2, 1, 3), g.Int64(batch, positions, heads * d));
    }

    /// <summary>Attention of queries [batch, heads, queries, d], and its gradient.</summary>
    private static IEnumerable<KernelCase> Attention(
        string what, long[] queries, long keys, Tensor mask, long? groups = null)
    {
        KernelCase[] ofHeads = [.. OfHeads(what, queries, keys, mask, groups)];
        return [.. ofHeads, InRows(ofHeads[0], [0, 1, 2], results: 1), .. ofHeads.Skip(1).Select(static c =>
            InRows(c, [0, 1, 2, 3, 5], results: 3))];
    }

    /// <summary>The same with heads side by side in each position's row.</summary>
    private static KernelCase InRows(KernelCase ofHeads, int[] operands, int results) => new(
        ofHeads.Op.Replace("Attention", "AttentionInRows", StringComparison.Ordinal), ofHeads.What,
        [.. ofHeads.Inputs.Select((x, i) => operands.Contains(i) ? Exchanged(x!) : x)],
        (g, x) =>
        [
            .. ofHeads.Expected(g, [.. x.Select((x, i) => operands.Contains(i) ? g.Transpose(x, 0, 2, 1, 3) : x)])
                .Select((y, i) => i < results ? g.Transpose(y, 0, 2, 1, 3) : y),
        ]);

    /// <summary>A tensor whose second and third axes change places.</summary>
    private static Tensor Exchanged(Tensor x)
    {
        var (b, c, d) = ((int)x.Dims[1], (int)x.Dims[2], (int)x.Dims[3]);
        var (from, to) = (x.ToFloat32(), new float[x.Count]);
        for (var i = 0; i < to.Length; i++)
        {
            var (row, column) = Math.DivRem(i, d);
            var (rest, second) = Math.DivRem(row, b);
            var (first, third) = Math.DivRem(rest, c);
            to[i] = from[(((((first * b) + second) * c) + third) * d) + column];
        }

        return Tensor.Of<float>(to, [x.Dims[0], c, b, d]);
    }

    private static IEnumerable<KernelCase> OfHeads(
        string what, long[] queries, long keys, Tensor mask, long? groups)
    {
        long[] ofKeys = [queries[0], groups ?? queries[1], keys, queries[3]];
        var (q, k, v) = (Random(1, queries), Random(2, ofKeys), Random(3, ofKeys));
        var scale = Tensor.Scalar(0.5f);
        var forward = new KernelCase("Attention", what, [q, k, v, scale, mask], (g, x) =>
        {
            var scores = g.Add(Scores(g, g.Mul(x[0], x[3]), Spread(g, x[1])), x[4]);
            var max = g.Op("ReduceMax", scores, g.Int64(-1));
            var e = g.Op("Exp", g.Sub(scores, max));
            var sum = g.ReduceSum(e, [-1]);
            // Not squeezed: ONNX Runtime leaves an axis of sums of nothing as long as it was.
            var dims = g.Int64(queries.AsSpan(0, 3));
            return [g.MatMul(g.Div(e, sum), Spread(g, x[2])), g.ReshapeTo(max, dims), g.ReshapeTo(sum, dims)];
        });
        yield return forward;
        // Without queries, ONNX Runtime's products have no defined result.
        if (queries[2] == 0)
            yield break;
        var factors = Tensor.Of<float>(
            [.. mask.ToFloat32().Select(static m => m < -1e30f ? 0 : m == 0 ? 1 : m)], mask.Dims.AsSpan());
        var results = forward.Compute();
        yield return new(
            "AttentionGrad", what,
            [Random(5, queries), q, k, v, scale, results["y0"], results["y1"], results["y2"], mask, factors],
            (g, x) =>
            {
                var scores = g.Add(Scores(g, g.Mul(x[1], x[4]), Spread(g, x[2])), x[8]);
                var p = g.Div(g.Op("Exp", g.Sub(scores, g.Unsqueeze(x[6], 3))), g.Unsqueeze(x[7], 3));
                var ones = g.Expand(g.ScalarLike(x[0], 1), g.Int64(queries[3], 1));
                var shift = g.MatMul(g.Mul(x[0], x[5]), ones);
                var dP = Scores(g, x[0], Spread(g, x[3]));
                var dS = g.Mul(g.Mul(g.Mul(p, g.Sub(dP, shift)), x[9]), x[4]);
                return [
                    g.MatMul(dS, Spread(g, x[2])),
                    Gathered(g, g.MatMul(g.Transpose(dS, 0, 1, 3, 2), x[1])),
                    Gathered(g, g.MatMul(g.Transpose(p, 0, 1, 3, 2), x[0])),
                ];
            });

        // Each head of keys stands for all of its group.
        Value Spread(GraphBuilder g, Value x) => groups is null ? x : g.ReshapeTo(
            g.Expand(g.Unsqueeze(x, 2), g.Int64(1, 1, queries[1] / groups.Value, 1, 1)),
            g.Int64(queries[0], queries[1], keys, queries[3]));

        Value Gathered(GraphBuilder g, Value x) => groups is null ? x : g.ReduceSum(
            g.ReshapeTo(x, g.Int64(queries[0], groups.Value, queries[1] / groups.Value, keys, queries[3])),
            [2], keepDims: false);
    }

    private static Value Scores(GraphBuilder g, Value rows, Value columns) =>
        g.MatMul(rows, g.Transpose(columns, 0, 1, 3, 2));

    /// <summary>X [..., rows] · W [rows, columns], and X [..., columns] · Wᵀ, packed from either layout.</summary>
    private static IEnumerable<KernelCase> Products(string what, int rows, int columns, params long[] others) =>
        Products(Packing.Float32, what, rows, columns, others);

    private static IEnumerable<KernelCase> Products(
        Packing packing, string what, int rows, int columns, params long[] others)
    {
        what += packing.Name;
        var (packed, matrix) = packing.Of(Random(1, rows, columns), false);
        var (packedTurned, turned) = packing.Of(Random(1, columns, rows), true);
        var dims = Tensor.Vector<long>(rows, columns);
        var (x, dY) = (packing.Rows(Random(2, [.. others, rows])), packing.Rows(Random(2, [.. others, columns])));
        yield return new("MatMul", what, [x, packed, dims],
            (g, x) => [g.MatMul(x[0], g.Constant(matrix))]);
        yield return new(
            "MatMul", $"{what}, packed from rows", [x, packedTurned, dims],
            (g, x) => [g.MatMul(x[0], g.Transpose(g.Constant(turned), 1, 0))]);
        yield return new(
            "MatMulTransposed", what, [dY, packed, dims],
            (g, x) => [g.MatMul(x[0], g.Transpose(g.Constant(matrix), 1, 0))]);
    }

    /// <summary>Products that write and read rows in an order of their own.</summary>
    private static IEnumerable<KernelCase> InStrips(string what, int rows, int columns, params long[] others)
    {
        var cases = Epilogues(what, rows, columns, others).ToDictionary(static c => c.Name);
        var count = others.Aggregate(1L, static (product, dim) => product * dim);
        var (left, right) = (new StripRows(count, rows), new StripRows(count, columns));
        var gelu = cases[$"MatMulGelu: {what}"];
        yield return new("MatMulGeluInStrips", what, gelu.Inputs, (g, x) =>
        {
            var results = gelu.Expected(g, x);
            return [right.Pack(g, results[0]), results[1]];
        });
        var gradient = cases[$"MatMulGeluGrad: {what}"];
        yield return new("MatMulGeluGradInStrips", what, gradient.Inputs, (g, x) =>
            [left.Pack(g, gradient.Expected(g, x)[0])]);
        Value Rows(GraphBuilder g, Value x, long length) => g.ReshapeTo(x, g.Int64([.. others, length]));
        var like = Random(7, [.. others, 3]);
        var both = cases[$"MatMul: {what}, both"];
        yield return new(
            "MatMulOfStrips", what,
            [Random(2, left.Dims), .. both.Inputs.Skip(1).Take(2), like, .. both.Inputs.Skip(3)],
            (g, x) => both.Expected(g, [Rows(g, left.Unpack(g, x[0]), rows), x[1], x[2], .. x.Skip(4)]));
        yield return new(
            "MatMulTransposedOfStrips", what, [Random(2, right.Dims), .. both.Inputs.Skip(1).Take(2), like],
            (g, x) =>
            {
                var matrix = g.Constant(Random(1, rows, columns));
                return [g.MatMul(Rows(g, right.Unpack(g, x[0]), columns), g.Transpose(matrix, 1, 0))];
            });
    }

    /// <summary>What is added to a product, GELU of it, and GELU's gradient behind the way back.</summary>
    private static IEnumerable<KernelCase> Epilogues(string what, int rows, int columns, params long[] others) =>
        Epilogues(Packing.Float32, what, rows, columns, others);

    private static IEnumerable<KernelCase> Epilogues(
        Packing packing, string what, int rows, int columns, params long[] others)
    {
        what += packing.Name;
        var (packed, matrix) = packing.Of(Random(1, rows, columns), false);
        var (bias, addend) = (Random(3, columns), packing.Rows(Random(4, [.. others, columns])));
        Tensor[] inputs = [packing.Rows(Random(2, [.. others, rows])), packed, Tensor.Vector<long>(rows, columns)];
        Value Product(GraphBuilder g, Value x) => g.MatMul(x, g.Constant(matrix));
        yield return new("MatMul", $"{what}, a bias", [.. inputs, bias],
            (g, x) => [g.Add(Product(g, x[0]), x[3])]);
        yield return new("MatMul", $"{what}, an addend", [.. inputs, null, addend],
            (g, x) => [g.Add(Product(g, x[0]), x[4])]);
        yield return new("MatMul", $"{what}, both", [.. inputs, bias, addend],
            (g, x) => [g.Add(g.Add(Product(g, x[0]), x[3]), x[4])]);
        yield return new("MatMulGelu", what, [.. inputs, bias],
            (g, x) => [Gelu(g, g.Add(Product(g, x[0]), x[3])), Product(g, x[0])]);
        Tensor[] back = [addend, .. inputs[1..], Random(5, [.. others, rows]), Random(6, rows)];
        yield return new("MatMulGeluGrad", what, back, (g, x) =>
        {
            var dY = g.MatMul(x[0], g.Transpose(g.Constant(matrix), 1, 0));
            return [g.Mul(dY, GeluSlope(g, g.Add(x[3], x[4])))];
        });
    }

    /// <summary>A layer with LoRA, with and without what is added to it, and its gradient.</summary>
    private static IEnumerable<KernelCase> Loras(string what, int rows, int columns, int r, params long[] others) =>
        Loras(Packing.Float32, what, rows, columns, r, others);

    private static IEnumerable<KernelCase> Loras(
        Packing packing, string what, int rows, int columns, int r, params long[] others)
    {
        what += packing.Name;
        var (packed, matrix) = packing.Of(Random(1, rows, columns), false);
        var (a, b, alpha) = (Random(2, r, rows), Random(3, columns, r), 0.5f);
        var count = others.Aggregate(1, static (product, dim) => product * (int)dim);
        Tensor[] inputs = [
            packing.Rows(Random(4, [.. others, rows])), packed, Tensor.Vector<long>(rows, columns), a, b, Tensor.Scalar(alpha)];
        yield return new("MatMulLora", what, inputs, Layer);
        yield return new(
            "MatMulLora", $"{what}, a bias and an addend",
            [.. inputs, Random(5, columns), Random(6, [.. others, columns])], (g, x) =>
            {
                var results = Layer(g, x);
                return [g.Add(g.Add(results[0], x[6]), x[7]), results[1]];
            });
        var other = Random(9, count, rows);
        yield return new(
            "MatMulLora", $"{what}, other rows for A", [.. inputs, null, null, other], (g, x) =>
            {
                var u = g.MatMul(x[8], g.Transpose(x[3], 1, 0));
                var low = g.ReshapeTo(g.Mul(g.MatMul(u, g.Transpose(x[4], 1, 0)), x[5]), g.Int64([.. others, columns]));
                return [g.Add(g.MatMul(x[0], g.Constant(matrix)), low), Rows(g, u)];
            });
        Tensor[] back =
            [
                packing.Rows(Random(7, [.. others, columns])), .. inputs[1..3], Random(8, count, r), a, b,
                Tensor.Scalar(alpha),
            ];
        yield return new("MatMulLoraGrad", what, back, Gradient);
        yield return new("MatMulLoraGrad", $"{what}, without A", [.. back[..4], null, .. back[5..]], Gradient);

        IReadOnlyList<Value> Layer(GraphBuilder g, IReadOnlyList<Value> x)
        {
            var u = g.MatMul(x[0], g.Transpose(x[3], 1, 0));
            var low = g.Mul(g.MatMul(u, g.Transpose(x[4], 1, 0)), x[5]);
            return [g.Add(g.MatMul(x[0], g.Constant(matrix)), low), Rows(g, u)];
        }

        IReadOnlyList<Value> Gradient(GraphBuilder g, IReadOnlyList<Value> x)
        {
            var dU = g.Mul(g.MatMul(x[0], x[5]), x[6]);
            var dX = g.MatMul(x[0], g.Transpose(g.Constant(matrix), 1, 0));
            var dY = g.ReshapeTo(x[0], g.Int64(count, columns));
            return
            [
                x[4] is { } a ? g.Add(dX, g.MatMul(dU, a)) : dX, Rows(g, dU), g.Mul(SumOfRows(g, dY, x[3], count), x[6]),
            ];
        }

        Value Rows(GraphBuilder g, Value u) => g.ReshapeTo(u, g.Int64(count, r));
    }

    private static KernelCase LowRank(string what, int m, int n, int r) => new(
        "LowRankGrad", what, [Random(1, m, r), Random(2, m, n)], (g, x) => [SumOfRows(g, x[0], x[1], m)]);

    /// <summary>Aᵀ·B; without rows, ONNX Runtime's products have no defined result.</summary>
    private static Value SumOfRows(GraphBuilder g, Value a, Value b, int rows)
    {
        var sum = g.MatMul(g.Transpose(a, 1, 0), b);
        return rows > 0 ? sum : g.Where(g.Constant(Tensor.Scalar(false)), sum, g.ScalarLike(sum, 0));
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
