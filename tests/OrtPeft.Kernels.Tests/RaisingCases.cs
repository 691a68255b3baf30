using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Kernels.Functions;
using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Kernels.Tests.LoweringCases;

namespace OrtPeft.Kernels.Tests;

/// <summary>Small graphs of standard operators, and the fused operators that they hold.</summary>
internal static class RaisingCases
{
    private const double Low = -1e38;

    public static IReadOnlyDictionary<string, (GradientCase Row, IReadOnlyList<string> Found)> ByName { get; } =
        All().ToDictionary(static c => c.Row.Name);

    private static IEnumerable<(GradientCase Row, IReadOnlyList<string> Found)> All() =>
    [
        Case("LayerNormalization", "the last axis", [LayerNorm.Forward], Norm(2), Rows, Row, Row),
        Case("LayerNormalization", "two axes", [], Norm(1), Rows, TestInput.Generic(3, 4), TestInput.Generic(3, 4)),
        Case("LayerNormalization", "one scale for all", [], Norm(2), Rows, TestInput.Generic(1), Row),
        .. Activations(),
        Case("Gelu", "another bias for each row", [Gelu.Forward],
            static (g, x) => [Tanh(g, g.Add(x[0], x[1]))], Rows, TestInput.Generic(3, 4)),
        Case("Gelu", "a product that its bias makes larger", [Gelu.Forward],
            static (g, x) => [Tanh(g, g.Add(x[0], x[1]))], TestInput.Generic(2, 3, 1), Row),
        Case("Sigmoid", "a gate of another value", [], static (g, x) => [g.Mul(x[0], g.Op("Sigmoid", x[1]))], Rows, Rows),
        Case("Sigmoid", "of a value that is read twice", [],
            static (g, x) => g.Op("Sigmoid", x[0]) is var s ? [g.Mul(x[0], s), s] : [], Rows),
        Case("Sigmoid", "of another multiple", [],
            static (g, x) => [g.Mul(x[0], g.Op("Sigmoid", g.Mul(x[0], 1.7)))], Rows),
        Case("Sigmoid", "of a multiple that is read twice", [],
            static (g, x) => g.Mul(x[0], 1.702) is var z ? [g.Mul(x[0], g.Op("Sigmoid", z)), z] : [], Rows),
        Case("Relu", "to another power", [], static (g, x) => [g.Pow(g.Op("Relu", x[0]), 3)], Rows),
        Case("Relu", "squared and read twice", [],
            static (g, x) => g.Op("Relu", x[0]) is var r ? [g.Mul(r, r), r] : [], Rows),
        Case("Mul", "two gates", [Gated<Relu>.Forward],
            static (g, x) => [g.Mul(g.Op("Relu", x[0]), g.Op("Relu", x[1]))], Rows, Rows),
        Case("Mul", "clamped rows of which the second are moved", [Gated<QuickGelu>.Forward],
            static (g, x) => Clip(g, x[0], -100, 7) is var gate
                ? [g.Mul(g.Add(Clip(g, x[1], -7, 7), 1), g.Mul(gate, g.Op("Sigmoid", g.Mul(gate, 1.702))))]
                : [],
            Rows, Rows),
        Case("Softmax", "scores and a mask", [MaskedSoftmax.Forward],
            static (g, x) => [g.Softmax(g.Add(x[0], Mask(g, x[0], 1)))], TestInput.Generic(2, 2, 3, 3)),
        Case("Softmax", "scores of one row for a mask of two", [],
            static (g, x) => [g.Softmax(g.Add(x[0], Mask(g, x[0], 2)))], TestInput.Generic(1, 2, 3, 3)),
        Case("Softmax", "scores and a mask that trains", [],
            static (g, x) => [g.Softmax(g.Add(x[0], x[1]))], TestInput.Generic(2, 2, 3, 3), TestInput.Generic(1, 1, 3, 3)),
        Case("Softmax", "over queries", [],
            static (g, x) => [g.Softmax(g.Add(x[0], 0.3), axis: 2)], TestInput.Generic(2, 2, 3, 3)),
        Case("Attention", "heads", [Attention.Forward], Attend(batch: 1), Heads(2), Heads(2), Heads(2)),
        Case("Attention", "keys of one row for queries of two", [MaskedSoftmax.Forward],
            Attend(batch: 1), Heads(2), Heads(1), Heads(2)),
        Case("Attention", "values of one row for queries of two", [MaskedSoftmax.Forward],
            Attend(batch: 1), Heads(2), Heads(2), Heads(1)),
        Case("Attention", "queries of one row for keys of two", [MaskedSoftmax.Forward],
            Attend(batch: 1), Heads(1), Heads(2), Heads(2)),
        Case("Attention", "a mask of two rows for scores of one", [], Attend(batch: 2), Heads(1), Heads(1), Heads(1)),
        Case("Attention", "values that are wider", [MaskedSoftmax.Forward],
            Attend(batch: 1), Heads(2), Heads(2), TestInput.Generic(2, 2, 3, 5)),
        Case("Attention", "heads in groups", [Attention.Forward],
            AttendInGroups(static (g, like) => Mask(g, like, 1)), Grouped, Heads(2), Heads(2)),
        Case("Attention", "groups and a mask of each", [],
            AttendInGroups(static (g, like) => g.Reshape(Mask(g, like, 2), 2, 1, 3)), Grouped, Heads(2), Heads(2)),
        Case("Attention", "heads that serve several", [Attention.Forward],
            static (g, x) => Attend(1)(g, [x[0], Repeated(g, x[1]), Repeated(g, x[2])]),
            TestInput.Generic(2, 4, 3, 4), Heads(2), Heads(2)),
        Case("Attention", "heads that serve several in turns", [Attention.Forward],
            static (g, x) => Attend(1)(g, [x[0], InTurns(g, x[1]), InTurns(g, x[2])]),
            TestInput.Generic(2, 4, 3, 4), Heads(2), Heads(2)),
        Case("Attention", "keys that serve several and values of each head", [Attention.Forward],
            static (g, x) => Attend(1)(g, [x[0], Repeated(g, x[1]), x[2]]),
            TestInput.Generic(2, 4, 3, 4), Heads(2), TestInput.Generic(2, 4, 3, 4)),
        Case("Attention", "keys turned on three axes", [Attention.Forward], AttendOnThree, Heads(2), Heads(2), Heads(2)),
        Case("Attention", "a scale computed where the graph runs", [Attention.Forward], AttendScaled,
            Heads(2), Heads(2), Heads(2)),
        Case("Attention", "scores below a cap", [Attention.Forward], AttendCapped(static (g, s) =>
            g.Mul(g.Op("Tanh", g.Mul(s, 0.5)), 2)), Heads(2), Heads(2), Heads(2)),
        Case("Attention", "scores below a cap, scaled within", [Attention.Forward], AttendCapped(static (g, s) =>
            g.Mul(g.Op("Tanh", g.Mul(g.Mul(s, 0.7), 0.3)), 2)), Heads(2), Heads(2), Heads(2)),
        Case("Attention", "scores whose sign a cap turns", [MaskedSoftmax.Forward], AttendCapped(static (g, s) =>
            g.Mul(g.Op("Tanh", g.Mul(s, 0.5)), -2)), Heads(2), Heads(2), Heads(2)),
        Case("Attention", "sinks", [Attention.Forward], AttendWithSinks(static (g, s) => s), Heads(2), Heads(2), Heads(2)),
        Case("Attention", "sinks, of scores without their largest", [Attention.Forward],
            AttendWithSinks(static (g, s) => g.Sub(s, g.Op("ReduceMax", s, g.Int64(-1)))), Heads(2), Heads(2), Heads(2)),
        Case("Attention", "sinks that train", [],
            static (g, x) => AttendWithSinks(static (_, s) => s, g.Reshape(x[3], 1, 2, 1, 1))(g, x),
            Heads(2), Heads(2), Heads(2), TestInput.Generic(2)),
        Case("Attention", "a mask that replaces", [Attention.Forward], AttendReplaced(hides: false),
            Heads(2), Heads(2), Heads(2)),
        Case("Attention", "a mask that says what goes", [Attention.Forward], AttendReplaced(hides: true),
            Heads(2), Heads(2), Heads(2)),
        Case("Attention", "a query that sees nothing, guarded", [Attention.Forward], AttendGuarded,
            Heads(2), Heads(2), Heads(2)),
        Case("Softmax", "scores of which nothing is seen, guarded", [MaskedSoftmax.Forward],
            static (g, x) => [Guarded(g, g.Softmax(g.Add(x[0], Blind(g, x[0]))))], TestInput.Generic(2, 2, 3, 3)),
        Case("Softmax", "a guard that puts a half", [MaskedSoftmax.Forward],
            static (g, x) => g.Softmax(g.Add(x[0], Mask(g, x[0], 1))) is var p
                ? [g.Where(g.Op("IsNaN", p), g.ScalarLike(p, 0.5), p)]
                : [],
            TestInput.Generic(2, 2, 3, 3)),
        Case("Add", "rotated halves", [RotaryEmbedding.Forward], Rotated(static (g, x) => SliceHalves(g, x)), Rotatable),
        Case("Add", "rotated halves of a split", [RotaryEmbedding.Forward],
            Rotated(static (g, x) => [.. g.Split(x, -1, 2, 2)]), Rotatable),
        Case("Add", "rotated halves the other way round", [],
            Rotated(static (g, x) => [.. SliceHalves(g, x).Reverse()]), Rotatable),
        Case("Add", "every other number", [],
            Rotated(static (g, x) => [Slice(g, x, 0, 4, 2), Slice(g, x, 1, 4, 2)]), Rotatable),
        Case("Add", "rotated halves, summed in another order", [RotaryEmbedding.Forward],
            static (g, x) => [g.Add(g.Mul(Table(g, x[0], 4, 1), TurnedHalves(g, x[0])), g.Mul(Table(g, x[0], 4, 2), x[0]))],
            Rotatable),
        Case("Add", "rotated halves with tables that train", [],
            static (g, x) => [g.Add(g.Mul(x[0], x[1]), g.Mul(TurnedHalves(g, x[0]), x[2]))],
            Rotatable, TestInput.Generic(3, 4), TestInput.Generic(3, 4)),
        Case("Add", "rotated halves of something else", [],
            static (g, x) => [g.Add(g.Mul(x[0], Table(g, x[0], 4, 1)), g.Mul(TurnedHalves(g, x[1]), Table(g, x[0], 4, 2)))],
            Rotatable, Rotatable),
        Case("Add", "exchanged halves of five axes", [RotaryEmbedding.Forward],
            static (g, x) => g.Split(x[0], -1, 2, 2) is var halves
                ? [g.Add(g.Mul(x[0], Table(g, x[0], 4, 1)), g.Mul(g.Concat(4, halves[1], halves[0]), Table(g, x[0], 4, 2)))]
                : [],
            TestInput.Generic(1, 2, 2, 3, 4)),
        Case("Concat", "halves with tables of halves", [RotaryEmbedding.Forward], RotatedHalves(crosses: false), Rotatable),
        Case("Concat", "halves whose cosines and sines are exchanged", [], RotatedHalves(crosses: true), Rotatable),
        Case("Split", "queries, keys and values", [Operators.Heads.Split],
            static (g, x) => [.. HeadsForm(g, x[0], positions: 3)], TestInput.Generic(2, 3, 12)),
        Case("Split", "heads of windows of two positions", [],
            static (g, x) => [.. HeadsForm(g, x[0], positions: 2)], TestInput.Generic(2, 4, 12)),
        Case("Split", "queries alone", [],
            static (g, x) => [HeadsForm(g, x[0], positions: 3)[0]], TestInput.Generic(2, 3, 12)),
        Case("Gemm", "LoRA", [LowRankLinear.Forward], Lora(static (g, x) => x), TestInput.Generic(3, 4), A, B),
        Case("Gemm", "LoRA whose A reads other rows", [LowRankLinear.Forward],
            Lora(static (g, x) => g.Mul(x, 2)), TestInput.Generic(3, 4), A, B),
        Case("Gemm", "LoRA of one row that is added to all", [], LoraOfOneRow, TestInput.Generic(1, 4), A, B),
        Case("Gemm", "LoRA whose A is narrower than W", [], LoraOfHalf, TestInput.Generic(2, 4), TestInput.Generic(2, 2), B),
    ];

    private static IEnumerable<(GradientCase Row, IReadOnlyList<string> Found)> Activations()
    {
        (string Spelling, Func<GraphBuilder, Value, Value> Of, FusedOp? Alone, FusedOp Gate)[] functions =
        [
            ("GELU by tanh", Tanh, Activated<TanhGelu>.Forward, Gated<TanhGelu>.Forward),
            ("GELU", static (g, x) => g.Op("Gelu", x), Activated<ErfGelu>.Forward, Gated<ErfGelu>.Forward),
            ("SiLU", Silu, Activated<Silu>.Forward, Gated<Silu>.Forward),
            ("SiLU, x last", static (g, x) => g.Mul(g.Op("Sigmoid", x), x), Activated<Silu>.Forward, Gated<Silu>.Forward),
            ("quick GELU", static (g, x) => g.Mul(x, g.Op("Sigmoid", g.Mul(x, 1.702))),
                Activated<QuickGelu>.Forward, Gated<QuickGelu>.Forward),
            ("ReLU", static (g, x) => g.Op("Relu", x), null, Gated<Relu>.Forward),
            ("squared ReLU", static (g, x) => g.Pow(g.Op("Relu", x), 2),
                Activated<SquaredRelu>.Forward, Gated<SquaredRelu>.Forward),
            ("ReLU times itself", static (g, x) => g.Op("Relu", x) is var r ? g.Mul(r, r) : r,
                Activated<SquaredRelu>.Forward, Gated<SquaredRelu>.Forward),
        ];
        foreach (var (spelling, of, alone, gate) in functions)
        {
            FusedOp[] found = alone is null ? [] : [alone];
            yield return Case("Activation", spelling, found, (g, x) => [of(g, x[0])], Rows);
            yield return Case("Activation", $"{spelling}, a bias", found, (g, x) => [of(g, g.Add(x[0], x[1]))], Rows, Row);
            yield return Case("Gate", spelling, [gate], (g, x) => [g.Mul(of(g, x[0]), x[1])], Rows, Rows);
            yield return Case("Gate", $"{spelling}, behind", [gate], (g, x) => [g.Mul(x[1], of(g, x[0]))], Rows, Rows);
            yield return Case("Gate", $"{spelling}, one row for all", found, (g, x) => [g.Mul(of(g, x[0]), x[1])], Rows, Row);
            yield return Case("Gate", $"{spelling} that something else reads", found,
                (g, x) => of(g, x[0]) is var open ? [g.Mul(open, x[1]), open] : [], Rows, Rows);
        }
    }

    private static TestInput Rows => TestInput.Generic(2, 3, 4);

    private static TestInput Row => TestInput.Generic(4);

    private static TestInput A => TestInput.Generic(2, 4);

    private static TestInput B => TestInput.Generic(5, 2);

    private static TestInput Grouped => TestInput.Generic(2, 2, 2, 3, 4);

    private static TestInput Rotatable => TestInput.Generic(2, 2, 3, 4);

    private static TestInput Heads(long batch) => TestInput.Generic(batch, 2, 3, 4);

    private static (GradientCase Row, IReadOnlyList<string> Found) Case(
        string op,
        string what,
        FusedOp[] found,
        Func<GraphBuilder, Value[], IReadOnlyList<Value>> build,
        params IReadOnlyList<TestInput> inputs) =>
        (new GradientCase(op, what, build, inputs) { Table = FusedOps.Gradients }, [.. found.Select(static f => f.Name)]);

    private static Func<GraphBuilder, Value[], IReadOnlyList<Value>> Norm(long axis) => (g, x) =>
        [g.Op("LayerNormalization", [x[0], x[1], x[2]], NodeAttribute.Of("axis", axis), NodeAttribute.Of("epsilon", 0.1f))];

    private static Value Tanh(GraphBuilder g, Value x) =>
        g.Op("Gelu", [x], NodeAttribute.Of("approximate", "tanh"));

    private static Value Clip(GraphBuilder g, Value x, double low, double high) =>
        g.Op("Clip", x, g.ScalarLike(x, low), g.ScalarLike(x, high));

    private static Value Silu(GraphBuilder g, Value x) => g.Mul(x, g.Op("Sigmoid", x));

    /// <summary>Softmax(½·Q·Kᵀ + mask)·V.</summary>
    private static Func<GraphBuilder, Value[], IReadOnlyList<Value>> Attend(long batch) => (g, x) =>
    {
        var scores = g.Mul(g.MatMul(x[0], g.Transpose(x[1], 0, 1, 3, 2)), 0.5);
        return [g.MatMul(g.Softmax(g.Add(scores, Mask(g, scores, batch))), x[2])];
    };

    /// <summary>The same with queries on five axes.</summary>
    private static Func<GraphBuilder, Value[], IReadOnlyList<Value>> AttendInGroups(
        Func<GraphBuilder, Value, Value> mask) => (g, x) =>
    {
        var keys = g.Unsqueeze(g.Transpose(x[1], 0, 1, 3, 2), 2);
        var scores = g.MatMul(x[0], keys);
        return [g.MatMul(g.Softmax(g.Add(scores, mask(g, scores))), g.Unsqueeze(x[2], 2))];
    };

    /// <summary>Each head twice.</summary>
    private static Value Repeated(GraphBuilder g, Value x) =>
        g.Reshape(g.Expand(g.Unsqueeze(x, 2), g.Int64(2, 2, 2, 3, 4)), 2, 4, 3, 4);

    /// <summary>All heads, and then all of them again: no group of neighbours shares one.</summary>
    private static Value InTurns(GraphBuilder g, Value x) =>
        g.Reshape(g.Expand(g.Unsqueeze(x, 1), g.Int64(2, 2, 2, 3, 4)), 2, 4, 3, 4);

    private static IReadOnlyList<Value> AttendOnThree(GraphBuilder g, Value[] x)
    {
        var keys = g.Reshape(g.Transpose(g.Reshape(x[1], -1, 3, 4), 0, 2, 1), 2, 2, 4, 3);
        var scores = g.MatMul(x[0], keys);
        return [g.MatMul(g.Softmax(g.Add(scores, Mask(g, scores, 1))), x[2])];
    }

    /// <summary>1/√d, as exporters compute it.</summary>
    private static IReadOnlyList<Value> AttendScaled(GraphBuilder g, Value[] x)
    {
        var d = g.Op("Slice", g.Shape(x[0]), g.Int64(-1), g.Int64(long.MaxValue), g.Int64(0));
        var scale = g.Op("Sqrt", g.Op("Reciprocal", g.Pow(g.Cast(g.Squeeze(d, 0), x[0].Type), 0.5)));
        var scores = g.MatMul(g.Mul(x[0], scale), g.Mul(g.Transpose(x[1], 0, 1, 3, 2), scale));
        return [g.MatMul(g.Softmax(g.Add(scores, Mask(g, scores, 1))), x[2])];
    }

    private static Func<GraphBuilder, Value[], IReadOnlyList<Value>> AttendCapped(
        Func<GraphBuilder, Value, Value> cap) => (g, x) =>
    {
        var scores = cap(g, g.MatMul(x[0], g.Transpose(x[1], 0, 1, 3, 2)));
        return [g.MatMul(g.Softmax(g.Add(scores, Mask(g, scores, 1))), x[2])];
    };

    private static Func<GraphBuilder, Value[], IReadOnlyList<Value>> AttendWithSinks(
        Func<GraphBuilder, Value, Value> shifted, Value? trained = null) => (g, x) =>
    {
        var scores = g.MatMul(x[0], g.Transpose(x[1], 0, 1, 3, 2));
        var sinks = trained ?? g.Cast(g.Constant(Tensor.Of<double>([0.7, -0.4], [1, 2, 1, 1])), scores.Type);
        var column = g.Expand(sinks, g.Int64(2, 2, 3, 1));
        var p = g.Softmax(shifted(g, g.Concat(3, g.Add(scores, Mask(g, scores, 1)), column)));
        return [g.MatMul(g.Op("Slice", p, g.Int64(0), g.Int64(-1), g.Int64(3)), x[2])];
    };

    private static Func<GraphBuilder, Value[], IReadOnlyList<Value>> AttendReplaced(bool hides) => (g, x) =>
    {
        var scores = g.MatMul(x[0], g.Transpose(x[1], 0, 1, 3, 2));
        var hidden = g.Op("Less", Mask(g, scores, 1), g.ScalarLike(scores, 0));
        var low = g.ScalarLike(scores, hides ? double.NegativeInfinity : Low);
        var masked = hides ? g.Where(hidden, low, scores) : g.Where(g.Op("Not", hidden), scores, low);
        return [g.MatMul(g.Softmax(masked), x[2])];
    };

    private static IReadOnlyList<Value> AttendGuarded(GraphBuilder g, Value[] x)
    {
        var scores = g.MatMul(x[0], g.Transpose(x[1], 0, 1, 3, 2));
        return [g.MatMul(Guarded(g, g.Softmax(g.Add(scores, Blind(g, scores)))), x[2])];
    }

    private static Value Guarded(GraphBuilder g, Value p) => g.Where(g.Op("IsNaN", p), g.ScalarLike(p, 0), p);

    /// <summary>[1, 1, 3, 1]: the second query sees nothing.</summary>
    private static Value Blind(GraphBuilder g, Value like) => g.Cast(
        g.Constant(Tensor.Of<double>([0, double.NegativeInfinity, 0], [1, 1, 3, 1])), like.Type);

    /// <summary>X∘cos + (−x₂, x₁)∘sin.</summary>
    private static Func<GraphBuilder, Value[], IReadOnlyList<Value>> Rotated(
        Func<GraphBuilder, Value, Value[]> halves) => (g, x) =>
    {
        var parts = halves(g, x[0]);
        var turned = g.Concat(-1, g.Neg(parts[1]), parts[0]);
        return [g.Add(g.Mul(x[0], Table(g, x[0], 4, 1)), g.Mul(turned, Table(g, x[0], 4, 2)))];
    };

    private static Func<GraphBuilder, Value[], IReadOnlyList<Value>> RotatedHalves(bool crosses) => (g, x) =>
    {
        var (halves, cos, sin) = (SliceHalves(g, x[0]), Table(g, x[0], 2, 1), Table(g, x[0], 2, 2));
        var first = g.Sub(g.Mul(halves[0], cos), g.Mul(halves[1], sin));
        var second = crosses
            ? g.Add(g.Mul(halves[1], sin), g.Mul(halves[0], cos))
            : g.Add(g.Mul(halves[1], cos), g.Mul(halves[0], sin));
        return [g.Concat(3, first, second)];
    };

    private static Value TurnedHalves(GraphBuilder g, Value x) =>
        SliceHalves(g, x) is [var first, var second] ? g.Concat(-1, g.Neg(second), first) : x;

    private static Value[] SliceHalves(GraphBuilder g, Value x) =>
        [Slice(g, x, 0, 2, 1), Slice(g, x, 2, long.MaxValue, 1)];

    private static Value Slice(GraphBuilder g, Value x, long start, long end, long step) =>
        g.Op("Slice", x, g.Int64(start), g.Int64(end), g.Int64(3), g.Int64(step));

    private static Value[] HeadsForm(GraphBuilder g, Value x, long positions) =>
    [
        .. g.Split(x, 2, 4, 4, 4).Select(part =>
            g.Transpose(g.Reshape(part, -1, positions, 2, 2), 0, 2, 1, 3)),
    ];

    private static Func<GraphBuilder, Value[], IReadOnlyList<Value>> Lora(Func<GraphBuilder, Value, Value> rows) =>
        (g, x) => [Up(g, x, g.Gemm(rows(g, x[0]), x[1], transB: true), g.MatMul(x[0], Matrix(g, x[0])))];

    /// <summary>A reads three rows, and the layer's one is added to each.</summary>
    private static IReadOnlyList<Value> LoraOfOneRow(GraphBuilder g, Value[] x) =>
        [Up(g, x, g.Gemm(g.Concat(0, x[0], x[0], g.Mul(x[0], 2)), x[1], transB: true), g.MatMul(x[0], Matrix(g, x[0])))];

    /// <summary>A reads rows of two numbers, which are those of four reshaped and summed.</summary>
    private static IReadOnlyList<Value> LoraOfHalf(GraphBuilder g, Value[] x) =>
        [Up(g, x, g.Gemm(g.ReduceSum(g.Reshape(x[0], 2, 2, 2), [1], keepDims: false), x[1], transB: true),
            g.MatMul(x[0], Matrix(g, x[0])))];

    private static Value Up(GraphBuilder g, Value[] x, Value u, Value product) =>
        g.Gemm(u, x[2], product, transB: true, alpha: 0.5f);

    /// <summary>[4, 5].</summary>
    private static Value Matrix(GraphBuilder g, Value like)
    {
        double[] numbers = [.. Enumerable.Range(0, 20).Select(static i => Math.Sin(1.7 * i))];
        return like.Type is ElementType.Double
            ? g.Constant(Tensor.Of<double>(numbers, [4, 5]))
            : g.Constant(Tensor.Of<float>(Array.ConvertAll(numbers, static n => (float)n), [4, 5]));
    }

    /// <summary>[batch, 1, 1, 3]: one key is hidden, another one in the second row.</summary>
    private static Value Mask(GraphBuilder g, Value like, long batch)
    {
        double[] numbers = [.. Enumerable.Range(0, (int)batch).SelectMany(static row => new[] { row == 0 ? 0 : Low, row == 0 ? Low : 0, 0 })];
        return g.Cast(g.Constant(Tensor.Of<double>(numbers, [batch, 1, 1, 3])), like.Type);
    }
}
