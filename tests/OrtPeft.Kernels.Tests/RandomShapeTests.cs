using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Testing;

namespace OrtPeft.Kernels.Tests;

/// <summary>On shapes that nobody chose, and on one thread and several, an operator's body computes what it is lowered
/// to, forwards and backwards.</summary>
public sealed class RandomShapeTests
{
    private const int Opset = 21;

    /// <summary>Of a result's largest number, or of 1: some ten units of float32, added up along a row.</summary>
    private const double Tolerance = 4e-6;

    private static readonly Dictionary<string, Func<Random, Case>> Operators = new(Activations(), StringComparer.Ordinal)
    {
        ["LayerNorm"] = static r => Rows(r, static (g, x, n) =>
        {
            Value[] operands = [x[1], Vector(g, n, 1), Vector(g, n, 2), g.Scalar(ElementType.Float, 0.1)];
            var dX = LayerNorm.Backward.Apply(g, [x[0], x[1], operands[1], operands[3]])[0];
            return [LayerNorm.Forward.Apply(g, operands)[0], dX];
        }),
        ["RmsNorm"] = static r => Rows(r, static (g, x, n) =>
        {
            Value[] operands = [x[1], Vector(g, n, 1), g.Scalar(ElementType.Float, 0.1)];
            return Both(g, RmsNorm.Forward, RmsNorm.Backward, operands, x[0]);
        }),
        ["Attention"] = static r => Attentions(r, most: 70),
        ["Attention in chunks"] = static r => Attentions(r, most: 900),
        ["Rotary"] = Rotations,
    };

    public static TheoryData<string, int, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int, int>();
            foreach (var name in Operators.Keys)
            {
                for (var seed = 0; seed < 12; seed++)
                    cases.Add(name, seed, 1 + (seed % 3));
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Body_OnRandomShapes_IsTheLowering(string name, int seed, int threads)
    {
        var made = Operators[name](new Random(seed));

        var expected = Run(Build(made, static _ => false), made, threads);
        var actual = Run(Build(made, static _ => true), made, threads);

        AssertNear(expected, actual, $"{name}, seed {seed}");
    }

    /// <summary>What a kernel hands to the way back serves the lowered gradient, and the other way round.</summary>
    [Theory]
    [InlineData("Attention", 0)]
    [InlineData("Attention", 1)]
    [InlineData("Attention", 3)]
    [InlineData("Attention in chunks", 2)]
    public void Gradient_LoweredWithoutItsOperator_IsTheSame(string name, int seed)
    {
        var made = Operators[name](new Random(seed));

        var kept = Run(Build(made, static _ => true), made, threads: 2);
        var gradient = Run(Build(made, Attention.Forward.Is), made, threads: 2);
        var forward = Run(Build(made, Attention.Backward.Is), made, threads: 2);

        AssertNear(kept, gradient, $"{name}, seed {seed}, gradient");
        AssertNear(kept, forward, $"{name}, seed {seed}, forward");
    }

    [Fact]
    public void Attention_OnAnyNumberOfThreads_GivesTheSameBits()
    {
        var made = Operators["Attention in chunks"](new Random(5));

        var one = Run(Build(made, static _ => true), made, threads: 1);
        var three = Run(Build(made, static _ => true), made, threads: 3);

        Assert.All(one, o => Assert.Equal(o.Value.ToFloat32(), three[o.Key].ToFloat32()));
    }

    private static Dictionary<string, Tensor> Run(Model model, Case made, int threads)
    {
        using var session = ModelSession.Open(model, new RuntimeOptions { Threads = threads });
        return OnnxRun.Of(session, made.Feeds);
    }

    private static void AssertNear(
        Dictionary<string, Tensor> expected, Dictionary<string, Tensor> actual, string what)
    {
        foreach (var (output, values) in expected)
        {
            var scale = values.ToFloat32().Select(Math.Abs).Append(1).Max();
            Near.Absolute(values, actual[output], Tolerance * scale, $"{what}, {output}");
        }
    }

    /// <summary>Up to three inputs of rows: broken vectors, single rows, none.</summary>
    private static Case Rows(Random random, Func<GraphBuilder, Value[], int, IReadOnlyList<Value>> apply)
    {
        var n = random.Next(1, 140);
        long[] dims = [random.Next(1, 4), random.Next(0, 9), n];
        return new Case([.. Enumerable.Range(0, 3).Select(i => Numbers(i, dims))], (g, x) => apply(g, x, n));
    }

    private static IEnumerable<KeyValuePair<string, Func<Random, Case>>> Activations() =>
    [
        .. ActivationOps.All.Chunk(2).Select(static pair => Row(pair[0].Name, (g, x, n) =>
            Both(g, pair[0], pair[1], [x[1], Vector(g, n, 1)], x[0]))),
        .. ActivationOps.Gates.Chunk(2).Select(static pair => Row(pair[0].Name, (g, x, _) =>
            Both(g, pair[0], pair[1], [x[1], x[2]], x[0]))),
    ];

    private static KeyValuePair<string, Func<Random, Case>> Row(
        string name, Func<GraphBuilder, Value[], int, IReadOnlyList<Value>> apply) => new(name, r => Rows(r, apply));

    private static IReadOnlyList<Value> Both(
        GraphBuilder g, FusedOp forward, FusedOp backward, Value[] operands, Value dY, Value[]? ofGradient = null) =>
        [forward.Apply(g, operands)[0], .. backward.Apply(g, [dY, .. ofGradient ?? operands])];

    /// <summary>Two to five axes, and tables of as many or fewer, each full or 1.</summary>
    private static Case Rotations(Random random)
    {
        long[] dims = [random.Next(1, 4), random.Next(1, 4), random.Next(1, 4), random.Next(0, 9), 2 * random.Next(1, 40)];
        dims = dims[random.Next(0, 4)..];
        long[] table = [.. dims.SkipLast(1).Select(n => random.Next(0, 2) == 0 ? 1 : n), dims[^1]];
        return new Case(
            [Numbers(0, dims), Numbers(1, dims), Numbers(2, table), Numbers(3, table[random.Next(0, 2)..])],
            static (g, x) => Both(g, RotaryEmbedding.Forward, RotaryEmbedding.Backward, [x[1], x[2], x[3]], x[0], [x[2], x[3]]));
    }

    /// <summary>Heads in groups, any number of queries and keys, rows of a causal mask or a window that see nothing among
    /// them: by a lowest number, or by −∞ and a guard.</summary>
    private static Case Attentions(Random random, int most)
    {
        var (batch, groups, heads) = (random.Next(1, 3), random.Next(1, 3), random.Next(1, 4));
        var (queries, keys, d) = (random.Next(1, most), random.Next(1, most), random.Next(1, 40));
        long[] ofQ = [batch, groups * heads, queries, d];
        long[] ofK = [batch, groups, keys, d];
        var (hidden, isGuarded) = (random.Next(0, 3), random.Next(0, 2) == 1);
        var (isCapped, hasSinks) = (random.Next(0, 3) == 0, random.Next(0, 3) == 0);
        var low = isGuarded ? float.NegativeInfinity : float.MinValue;
        var (window, isReplaced) = (random.Next(0, 2) == 0 ? keys : random.Next(1, keys + 1), random.Next(0, 2) == 0);
        return new Case(
            [
                Numbers(0, ofQ), Numbers(1, ofQ), Numbers(2, ofK), Numbers(3, ofK),
                Mask(queries, keys, hidden, window, seen: 0, low), Mask(queries, keys, hidden, window, seen: 1, 0),
            ],
            (g, x) =>
            {
                var scale = g.Scalar(ElementType.Float, 0.3);
                var guard = isGuarded ? g.Scalar(ElementType.Float, 0) : null;
                var sinks = hasSinks ? Vector(g, (int)(groups * heads), 1) : null;
                var cap = isCapped ? g.Scalar(ElementType.Float, 2.5) : null;
                var seen = isReplaced ? x[5] : null;
                var results = Attention.Forward.Apply(g, [x[1], x[2], x[3], scale, x[4], seen, guard, cap, sinks]);
                var (o, max, sum) = (results[0], results[1], results[2]);
                return [
                    o, .. Attention.Backward.Apply(g, [x[0], x[1], x[2], x[3], scale, o, max, sum, x[4], seen, cap]),
                ];
            });
    }

    /// <summary>One number where a query sees a key, and another where it does not.</summary>
    private static Tensor Mask(int queries, int keys, int hidden, int window, float seen, float low)
    {
        var numbers = new float[queries * keys];
        for (var i = 0; i < numbers.Length; i++)
        {
            var distance = (i / keys) - hidden - (i % keys);
            numbers[i] = distance >= 0 && distance < window ? seen : low;
        }

        return Tensor.Of<float>(numbers, [1, 1, queries, keys]);
    }

    private static Model Build(Case made, Func<Node, bool> isKept)
    {
        var model = new Model(Opset);
        var g = new GraphBuilder(model.Graph, new ShapeInference(Opset));
        var inputs = made.Inputs.Select((t, i) => model.Graph.AddInput($"x{i}", t.Type, Shape.Of(t.Dims))).ToArray();
        foreach (var (index, output) in made.Apply(g, inputs).Index())
        {
            model.Graph.Rename(output, $"y{index}");
            model.Graph.AddOutput(output);
        }

        FusedOps.Lower(g, isKept);
        model.Opsets[FusedOp.Domain] = 1;
        return model;
    }

    private static Value Vector(GraphBuilder g, int length, int seed) => g.Constant(Numbers(seed + 10, [length]));

    private static Tensor Numbers(long seed, long[] dims)
    {
        var random = new SplitMix64(seed, "random shapes");
        var numbers = new float[dims.Aggregate(1L, static (product, dim) => product * dim)];
        foreach (ref var number in numbers.AsSpan())
            number = random.NextNormal(1);
        return Tensor.Of<float>(numbers, dims);
    }

    private sealed record Case(IReadOnlyList<Tensor> Inputs, Func<GraphBuilder, Value[], IReadOnlyList<Value>> Apply)
    {
        public Dictionary<string, Tensor> Feeds { get; } =
            Inputs.Index().ToDictionary(static i => $"x{i.Index}", static i => i.Item);
    }
}
