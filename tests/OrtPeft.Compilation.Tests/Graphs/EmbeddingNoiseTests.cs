using OrtPeft.Adapters;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Compilation.Tests.Graphs;

public sealed class EmbeddingNoiseTests
{
    private const int Rows = 3;
    private const int Tokens = 50;
    private const int Width = 64;

    /// <summary>9,600 even numbers of a range: mean and deviation have errors of a hundredth of it; five of these are
    /// allowed.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(0.25)]
    public void Add_GivesEvenNoiseOfThePapersSize(double alpha)
    {
        var model = LookUp();
        EmbeddingNoise.Add(GraphBuilder.Over(model), alpha, seed: null);
        using var session = ModelSession.Open(model, new RuntimeOptions { Threads = 1 });
        var (first, again, other) = (Run(session, 1), Run(session, 1), Run(session, 2));

        var noise = first.Zip(Clean(), static (noisy, clean) => (double)noisy - clean).ToArray();
        var magnitude = alpha / Math.Sqrt(Tokens * Width);
        Assert.InRange(noise.Max(Math.Abs), 0.99 * magnitude, 1.00001 * magnitude);
        Assert.InRange(noise.Average() / magnitude, -0.03, 0.03);
        Assert.Equal(1 / Math.Sqrt(3), Math.Sqrt(noise.Average(static x => x * x)) / magnitude, 0.02);
        Assert.Equal(first, again);
        Assert.True(first.Zip(other).Count(static p => p.First != p.Second) > noise.Length * 0.99);
    }

    /// <summary>Noise that only some readers got would be another model.</summary>
    [Fact]
    public void Add_ReachesEveryReader()
    {
        var model = LookUp();
        var g = GraphBuilder.Over(model);
        var second = g.Mul(model.Graph.Outputs[0].Producer!.Inputs[0]!, 1);
        model.Graph.Rename(second, "second");
        model.Graph.AddOutput(second);

        EmbeddingNoise.Add(g, 5, seed: null);

        var outputs = OnnxRun.Of(model, Feeds(1));
        Assert.Equal(outputs["out"].ToFloat32(), outputs["second"].ToFloat32());
        Assert.NotEqual(Clean(), outputs["out"].ToFloat32());
    }

    /// <summary>Noise on the scales of picked integers would be noise of another size.</summary>
    [Fact]
    public void Add_WhereRowsAreDequantised_IsNoiseOfTheirNumbers()
    {
        var model = QuantisedLookUp();
        EmbeddingNoise.Add(GraphBuilder.Over(model), 5, seed: null);
        using var session = ModelSession.Open(model, new RuntimeOptions { Threads = 1 });

        var noise = Run(session, 1).Zip(Clean(), static (noisy, clean) => (double)noisy - clean).ToArray();

        var magnitude = 5 / Math.Sqrt(Tokens * Width);
        Assert.InRange(noise.Max(Math.Abs), 0.99 * magnitude, 1.00001 * magnitude);
        Assert.True(noise.Distinct().Count() > noise.Length / 2);
    }

    [Fact]
    public void Add_WhereNothingIsLookedUp_SaysSo()
    {
        var model = new Model(opset: 21);
        var x = model.Graph.AddInput("x", ElementType.Float, [2, 3]);
        model.Graph.AddOutput(GraphBuilder.Over(model).Mul(x, 2));

        var error = Assert.Throws<ConfigException>(() => EmbeddingNoise.Add(GraphBuilder.Over(model), 5, seed: null));

        Assert.Contains("no Gather looks input_ids up", error.Message, StringComparison.Ordinal);
    }

    private static Model LookUp()
    {
        var model = new Model(opset: 21);
        var graph = model.Graph;
        var ids = graph.AddInput("input_ids", ElementType.Int64, [Rows, Tokens]);
        var table = graph.AddInitializer("wte.weight", Tensor.Of<float>(Table(), [Tokens, Width]));
        var g = GraphBuilder.Over(model);
        var result = g.Mul(g.Gather(table, ids), 1);
        graph.Rename(result, "out");
        graph.AddOutput(result);
        return model;
    }

    private static Model QuantisedLookUp()
    {
        var model = new Model(opset: 21);
        var graph = model.Graph;
        var ids = graph.AddInput("input_ids", ElementType.Int64, [Rows, Tokens]);
        var codes = Tensor.Of<byte>([.. Table().Select(static x => (byte)(x * 16))], [Tokens, Width]);
        var scales = Tensor.Of<float>([.. Enumerable.Repeat(1 / 16f, Tokens)], [Tokens, 1]);
        var g = GraphBuilder.Over(model);
        var picked = g.Gather(graph.AddInitializer("wte.weight_Q8", codes), ids);
        var rows = g.Mul(
            g.Cast(picked, ElementType.Float), g.Gather(graph.AddInitializer("wte.weight_scales", scales), ids));
        var result = g.Mul(rows, 1);
        graph.Rename(result, "out");
        graph.AddOutput(result);
        return model;
    }

    private static float[] Table() => [.. Enumerable.Range(0, Tokens * Width).Select(static i => (i % 17) / 16f)];

    private static long[] Ids() => [.. Enumerable.Range(0, Rows * Tokens).Select(static i => (long)(i * 7 % Tokens))];

    private static float[] Clean() =>
        [.. Ids().SelectMany(static id => Table().Skip((int)id * Width).Take(Width))];

    private static Dictionary<string, Tensor> Feeds(long seed) => new()
    {
        ["input_ids"] = Tensor.Of<long>(Ids(), [Rows, Tokens]),
        [SeededBits.SeedInput] = Tensor.Scalar(seed),
    };

    private static float[] Run(ModelSession session, long seed) => OnnxRun.Of(session, Feeds(seed))["out"].ToFloat32();
}
