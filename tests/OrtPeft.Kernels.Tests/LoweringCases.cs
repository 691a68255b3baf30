using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Tests;

/// <summary>Every fused operator with a gradient, at points where the gradient is proved.</summary>
internal static class LoweringCases
{
    private const double Low = -1e38;

    public static IReadOnlyDictionary<string, GradientCase> ByName { get; } = All().ToDictionary(static c => c.Name);

    private static IEnumerable<GradientCase> All() =>
    [
        .. ActivationOps.All.Where(static op => op.Gradient is not null).SelectMany(Activated),
        .. ActivationOps.Gates.Where(static op => op.Gradient is not null).Select(static op =>
            Case(op, "rows", static (g, x) => [x[0], x[1]], TestInput.Generic(2, 3), TestInput.Generic(2, 3))),
        Case(
            LayerNorm.Forward, "rows", static (g, x) => [x[0], x[1], x[2], Number(g, x[0], 0.1)],
            TestInput.Generic(2, 4), TestInput.Generic(4), TestInput.Generic(4)),
        Case(
            LayerNorm.Forward, "rows of rows", static (g, x) => [x[0], x[1], x[2], Number(g, x[0], 1e-3)],
            TestInput.Generic(2, 2, 3), TestInput.Generic(3), TestInput.Generic(3)),
        Case(
            RmsNorm.Forward, "rows", static (g, x) => [x[0], x[1], Number(g, x[0], 0.1)],
            TestInput.Generic(2, 4), TestInput.Generic(4)),
        Case(
            RotaryEmbedding.Forward, "tables for all heads", static (g, x) => [x[0], Table(g, x[0], 4, 1), Table(g, x[0], 4, 2)],
            TestInput.Generic(2, 2, 3, 4)),
        Case(
            MaskedSoftmax.Forward, "a mask", static (g, x) => [x[0], Mask(g, x[0], [0.3, -1, 0.5])],
            TestInput.Generic(1, 2, 2, 3)),
        Case(
            MaskedSoftmax.Forward, "a query that sees nothing",
            static (g, x) => [x[0], Mask(g, x[0], [Low, Low, Low]), Mask(g, x[0], [0, 0, 0])],
            TestInput.Generic(1, 1, 2, 3)),
        Case(Attention.Forward, "all seen", static (g, x) => Operands(g, x, [0, 0, 0], [1, 1, 1]), Queries, Keys, Keys),
        Case(
            Attention.Forward, "a key hidden", static (g, x) => Operands(g, x, [0, Low, 0], [1, 0, 1]),
            Queries, Keys, Keys),
        Case(
            Attention.Forward, "heads in groups", static (g, x) => Operands(g, x, [0, Low, 0], [1, 0, 1]),
            TestInput.Generic(1, 4, 2, 3), Keys, Keys),
        Case(
            Attention.Forward, "capped scores",
            static (g, x) => [.. Operands(g, x, [0, Low, 0], [1, 0, 1]), null, Number(g, x[0], 1.5)], Queries, Keys, Keys),
        Case(
            MaskedSoftmax.Forward, "sinks",
            static (g, x) => [x[0], Mask(g, x[0], [0.3, Low, 0.5]), null, null, Sinks(g, x[0])],
            TestInput.Generic(1, 2, 2, 3)),
        Case(
            Attention.Forward, "sinks",
            static (g, x) => [.. Operands(g, x, [0, Low, 0], [1, 0, 1]), null, null, Sinks(g, x[0])],
            Queries, Keys, Keys),
        Case(
            SelfAttention.Forward, "two heads",
            static (g, x) =>
                [x[0], g.Int64Scalar(2), Number(g, x[0], 0.75), Mask(g, x[0], [0, Low, 0]), Mask(g, x[0], [1, 0, 1])],
            TestInput.Generic(1, 3, 12)),
        Case(Heads.Split, "two heads", static (g, x) => [x[0], g.Int64Scalar(2)], TestInput.Generic(2, 3, 12)),
        Lora("a matrix", 0, TestInput.Generic(4, 3)),
        Lora("a transposed matrix", 1, TestInput.Generic(2, 2, 3)),
        Lora("a bias", 0, TestInput.Generic(2, 3), TestInput.Generic(2)),
        LoraOfOther("a matrix", 0, TestInput.Generic(4, 3)),
        LoraOfOther("a transposed matrix", 1, TestInput.Generic(2, 2, 3)),
    ];

    private static IEnumerable<GradientCase> Activated(FusedOp op) =>
    [
        Case(op, "with a bias", static (g, x) => [x[0], x[1]], TestInput.Generic(2, 3), TestInput.Generic(3)),
        Case(op, "without", static (g, x) => [x[0]], TestInput.Generic(2, 2, 3)),
    ];

    private static TestInput Queries => TestInput.Generic(1, 2, 2, 3);

    private static TestInput Keys => TestInput.Generic(1, 2, 3, 3);

    private static GradientCase Case(
        FusedOp op, string name, Func<GraphBuilder, Value[], Value?[]> operands, params TestInput[] inputs) =>
        Case(op, name, operands, [], inputs);

    /// <summary>P, which nothing differentiates, is the output that attention has beside its result.</summary>
    private static GradientCase Case(
        FusedOp op, string name, Func<GraphBuilder, Value[], Value?[]> operands, NodeAttribute[] attributes,
        TestInput[] inputs) =>
        new(op.Name, name, (g, x) => Results(op, op.Apply(g, operands(g, x), attributes)), inputs)
        {
            Table = FusedOps.Gradients,
            Lower = static g => FusedOps.Lower(g),
        };

    private static IReadOnlyList<Value> Results(FusedOp op, IReadOnlyList<Value> outputs)
    {
        if (op == Heads.Split)
        {
            foreach (var output in outputs)
                output.Shape = [2, 2, 3, 2];
            return outputs;
        }

        return [outputs[0]];
    }

    private static GradientCase Lora(string name, long transW, TestInput x, params TestInput[] bias) => Case(
        LowRankLinear.Forward,
        name,
        (g, v) => [v[0], Matrix(g, v[0], transW == 0 ? [3, 2] : [2, 3]), v[1], v[2], v.Length > 3 ? v[3] : null],
        [NodeAttribute.Of("transW", transW), NodeAttribute.Of("alpha", 0.5f)],
        [x, TestInput.Generic(2, 3), TestInput.Generic(2, 2), .. bias]);

    /// <summary>A multiplies other rows.</summary>
    private static GradientCase LoraOfOther(string name, long transW, TestInput x) => Case(
        LowRankLinear.Forward,
        $"{name}, other rows for A",
        (g, v) => [v[0], Matrix(g, v[0], transW == 0 ? [3, 2] : [2, 3]), v[1], v[2], null, v[3]],
        [NodeAttribute.Of("transW", transW), NodeAttribute.Of("alpha", 0.5f)],
        [x, TestInput.Generic(2, 3), TestInput.Generic(2, 2), TestInput.Generic(4, 3)]);

    private static Value?[] Operands(GraphBuilder g, Value[] x, double[] mask, double[] seen) =>
        [x[0], x[1], x[2], Number(g, x[0], 0.75), Mask(g, x[0], mask), Mask(g, x[0], seen)];

    private static Value Number(GraphBuilder g, Value like, double number) => g.ScalarLike(like, number);

    /// <summary>A number for each of two heads.</summary>
    private static Value Sinks(GraphBuilder g, Value like) =>
        g.Cast(g.Constant(Tensor.Of<double>([0.7, -0.4], [2])), like.Type);

    /// <summary>A number for each key.</summary>
    private static Value Mask(GraphBuilder g, Value like, double[] ofKeys) =>
        g.Cast(g.Constant(Tensor.Of<double>(ofKeys, [1, 1, 1, ofKeys.Length])), like.Type);

    /// <summary>[3, width] of other numbers each.</summary>
    public static Value Table(GraphBuilder g, Value like, int width, int seed) => g.Cast(
        g.Constant(Tensor.Of<double>(
            [.. Enumerable.Range(0, 3 * width).Select(i => Math.Sin((seed + i) * 1.3))], [3, width])),
        like.Type);

    private static Value Matrix(GraphBuilder g, Value like, long[] dims)
    {
        double[] numbers = [0.5, -0.3, 0.8, 0.1, -0.6, 0.4];
        return like.Type is ElementType.Double
            ? g.Constant(Tensor.Of<double>(numbers, dims))
            : g.Constant(Tensor.Of<float>(Array.ConvertAll(numbers, static n => (float)n), dims));
    }
}
