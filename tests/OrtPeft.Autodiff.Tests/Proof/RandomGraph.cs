using System.Collections.Immutable;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Autodiff.Tests.Proof;

/// <summary>
/// Small graphs of random operators over values of random shapes; a seed gives the same graph every time.
/// </summary>
internal sealed class RandomGraph
{
    private static readonly Func<RandomGraph, Value, Value>[] Steps =
    [
        static (r, x) => r._g.Op("Tanh", x),
        static (r, x) => r._g.Op("Sigmoid", x),
        static (r, x) => r._g.Op("Sin", x),
        static (r, x) => r._g.Op("Cos", x),
        static (r, x) => r._g.Op("Erf", x),
        static (r, x) => r._g.Op("Gelu", x),
        static (r, x) => r._g.Op("Gelu", [x], NodeAttribute.Of("approximate", "tanh")),
        static (r, x) => r._g.Op("Softplus", x),
        static (r, x) => r._g.Op("Relu", x),
        static (r, x) => r._g.Op("Exp", r._g.Op("Tanh", x)),
        static (r, x) => r._g.Op("Sqrt", r.Above(x)),
        static (r, x) => r._g.Op("Log", r.Above(x)),
        static (r, x) => r._g.Op("Reciprocal", r.Above(x)),
        static (r, x) => r._g.Pow(r._g.Op("Tanh", x), r._random.Next(4)),
        static (r, x) => r._g.Add(x, r.Other()),
        static (r, x) => r._g.Sub(x, r.Other()),
        static (r, x) => r._g.Sub(r.WithAxis(x), r._g.ReduceMean(r.WithAxis(x), [-1])),
        static (r, x) => r._g.Op("Tanh", r._g.Mul(x, r.Other())),
        static (r, x) => r._g.Div(x, r.Above(r.Other())),
        static (r, x) => r._g.Where(r._g.Op("Greater", x, r._g.ScalarLike(x, 0.1)), r.Other(), r._g.Op("Tanh", x)),
        static (r, x) => r._g.Op("Transpose", x),
        static (r, x) => r._g.Reshape(x, -1),
        static (r, x) => r._g.Unsqueeze(x, -1),
        static (r, x) => r._g.Op("Flatten", r._g.Unsqueeze(x, 0)),
        static (r, x) => r._g.ReduceSum(x, [], keepDims: r._random.Next(2) == 0),
        static (r, x) => r._g.ReduceMean(r.WithAxis(x), [-1], keepDims: r._random.Next(2) == 0),
        static (r, x) => r._g.Softmax(r.WithAxis(x), -1),
        static (r, x) => r._g.LogSoftmax(r.WithAxis(x), 0),
        static (r, x) => r._g.Gather(r.WithAxis(x), r._g.Int64(0, -1, 0)),
        static (r, x) => r._g.Concat(-1, r.WithAxis(x), r._g.Op("Sin", r.WithAxis(x))),
        static (r, x) => r._g.Split(r._g.Concat(0, r.WithAxis(x), r.WithAxis(x)), 0, r.Halves(x))[1],
        static (r, x) => r._g.Expand(r._g.Unsqueeze(x, -1), r._g.Int64(2)),
        static (r, x) => r.Normalized(r.WithAxis(x)),
        static (r, x) => r.Product(r._g.Op("Tanh", x)),
    ];

    private readonly Random _random;
    private readonly GraphBuilder _g;
    private readonly List<Value> _values;

    private RandomGraph(Random random, GraphBuilder g, IEnumerable<Value> inputs)
    {
        _random = random;
        _g = g;
        _values = [.. inputs];
    }

    /// <summary>A case of 5 to 15 steps.</summary>
    public static GradientCase Case(int seed)
    {
        var random = new Random(seed);
        var inputs = Enumerable.Range(0, random.Next(1, 4)).Select(_ => TestInput.Generic(Dims(random))).ToArray();
        return new GradientCase(
            "Random", $"seed {seed}", (g, x) => new RandomGraph(new Random(seed), g, x).Build(), inputs);
    }

    private static long[] Dims(Random random) =>
        [.. Enumerable.Range(0, random.Next(4)).Select(_ => (long)random.Next(1, 4))];

    private IReadOnlyList<Value> Build()
    {
        for (var steps = _random.Next(5, 16); steps > 0; steps--)
        {
            var result = Steps[_random.Next(Steps.Length)](this, _values[_random.Next(_values.Count)]);
            _values.Add(Small(result) ? result : _g.ReduceMean(result, [0], keepDims: false));
        }

        return [_values[^1], _values[_random.Next(_values.Count)]];
    }

    private static bool Small(Value x) => Lengths(x).Aggregate(1L, static (product, d) => product * d) <= 24;

    private static ImmutableArray<long> Lengths(Value x) => x.Shape!.ToStatic()!.Value;

    /// <summary>Another value's mean, which broadcasts to everything.</summary>
    private Value Other() =>
        _g.Op("ReduceMean", [_values[_random.Next(_values.Count)]], NodeAttribute.Of("keepdims", 0L));

    private Value Above(Value x) => _g.Add(_g.Mul(x, x), 0.75);

    private Value WithAxis(Value x) => x.Shape!.Rank == 0 ? _g.Unsqueeze(x, 0) : x;

    private long[] Halves(Value x) => [.. Enumerable.Repeat(Lengths(WithAxis(x))[0], 2)];

    private Value Normalized(Value x)
    {
        var scale = _g.Expand(_g.ScalarLike(x, 0.75), _g.Int64(Lengths(x)[^1]));
        return _g.Op("LayerNormalization", [x, scale], NodeAttribute.Of("epsilon", 0.1f));
    }

    /// <summary>The value's rows with one another, by MatMul or Gemm.</summary>
    private Value Product(Value x)
    {
        var rows = _g.Op("Flatten", WithAxis(x));
        return _random.Next(2) == 0
            ? _g.MatMul(rows, _g.Op("Transpose", rows))
            : _g.Gemm(rows, rows, Other(), transB: true, alpha: 0.5f);
    }
}
