using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Compilation.Tests.Memory;
using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Compilation.Tests.Rewrites;

public sealed class HeadRowsTests
{
    private static readonly long[] Rows = [2, 5, 4, 6], KeyRows = [2, 5, 2, 6];

    /// <summary>Heads on one axis and on two; what is left turns the tables of sines, which have one head.</summary>
    [Theory]
    [InlineData("llama")]
    [InlineData("exports/dynamo_llama.onnx")]
    [InlineData("exports/genai_sinks.onnx")]
    public void Run_OnAModel_LeavesNoCopyOfHeads(string model)
    {
        var peft = PeftModel.Create(
            GraphsOfForms.Open(model), new LoraConfig { TargetModules = "all-linear" }, seed: 3);

        var graph = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = Speedups.All }).Model.Graph;

        Assert.Contains(graph.Nodes, Attention.ForwardInRows.Is);
        Assert.Contains(graph.Nodes, Attention.BackwardInRows.Is);
        Assert.DoesNotContain(graph.Nodes, static n => SwapAxes.Forward.Is(n)
            || (n.Is("Transpose") && n.Output.Shape is { Rank: > 3 } y && !y.Any(static axis => axis.Value == 1)));
    }

    /// <summary>Keys in groups, and tables of every number of axes.</summary>
    [Theory]
    [InlineData(4, new long[] { 6 })]
    [InlineData(4, new long[] { 5, 6 })]
    [InlineData(4, new long[] { 2, 1, 5, 6 })]
    [InlineData(4, new long[] { 1, 4, 5, 6 })]
    [InlineData(5, new long[] { 5, 6 })]
    [InlineData(5, new long[] { 2, 5, 6 })]
    [InlineData(5, new long[] { 2, 1, 1, 5, 6 })]
    [InlineData(5, new long[] { 2, 1, 5, 6 })]
    public void Run_OnRotatedQueries_ComputesTheSame(int rank, long[] table) => Must(
        g =>
        {
            var q = g.Input("q", Rows);
            var (cos, sin) = (g.Input("cos", table), g.Input("sin", table));
            if (rank == 4)
                return g.Attend(Rotated(g, Heads(g, q), cos, sin));
            var grouped = g.Builder.Transpose(g.Builder.Reshape(q, 0, 0, 2, 2, 6), 0, 2, 3, 1, 4);
            return g.Attend(g.Builder.Reshape(Rotated(g, grouped, cos, sin), 0, 4, 5, 6));
        },
        exchanges: 0);

    /// <summary>Those who read heads still do.</summary>
    [Fact]
    public void Run_OnHeadsThatOthersRead_LeavesThem() => Must(
        static g =>
        {
            var q = Heads(g, g.Input("q", Rows));
            return [.. g.Attend(q), g.Builder.Neg(q)];
        },
        exchanges: 1);

    /// <summary>A cache's keys are head by head.</summary>
    [Fact]
    public void Run_OnKeysOfNoRows_LeavesAttention()
    {
        var model = Model(static g => g.Attend(Heads(g, g.Input("q", Rows)), g.Input("k", [2, 2, 5, 6])), out _);

        HeadRows.Run(GraphBuilder.Over(model));

        Assert.Contains(model.Graph.Nodes, Attention.Forward.Is);
    }

    private static Value Heads(Written g, Value rows) => g.Builder.Transpose(rows, 0, 2, 1, 3);

    private static Value Rotated(Written g, Value x, Value cos, Value sin) =>
        RotaryEmbedding.Forward.Apply(g.Builder, [x, cos, sin])[0];

    private static void Must(Func<Written, IReadOnlyList<Value>> write, int exchanges)
    {
        var plain = Model(write, out var feeds);
        var rewritten = Model(write, out _);

        HeadRows.Run(GraphBuilder.Over(rewritten));

        Assert.Contains(rewritten.Graph.Nodes, Attention.ForwardInRows.Is);
        Assert.Equal(exchanges, rewritten.Graph.Nodes.Count(static n => SwapAxes.Forward.Is(n)
            || (n.Is("Transpose") && n.Inputs[0]!.Producer is null && n.Inputs[0]!.Name is "q" or "k" or "v")));
        var (expected, actual) = (OnnxRun.Of(plain, feeds), OnnxRun.Of(rewritten, feeds));
        Assert.All(expected, pair => Assert.Equal(pair.Value.ToFloat32(), actual[pair.Key].ToFloat32()));
    }

    private static Model Model(Func<Written, IReadOnlyList<Value>> write, out Dictionary<string, Tensor> feeds)
    {
        var model = new Model(21);
        model.Opsets[OrtPeft.Kernels.FusedOp.Domain] = 1;
        feeds = [];
        var written = new Written(model, new GraphBuilder(model.Graph, new ShapeInference(21)), feeds);
        foreach (var (i, result) in write(written).Index())
        {
            model.Graph.Rename(result, $"y{i}");
            model.Graph.AddOutput(result);
        }

        return model;
    }

    private sealed record Written(Model Model, GraphBuilder Builder, Dictionary<string, Tensor> Feeds)
    {
        public Value Input(string name, long[] dims)
        {
            var random = new Random(name.Length + name[0]);
            float[] numbers = [.. Enumerable.Range(0, (int)dims.Aggregate(1L, static (a, b) => a * b)).Select(_ => random.NextSingle() - 0.5f)];
            Feeds[name] = Tensor.Of<float>(numbers, dims);
            return Model.Graph.AddInput(name, ElementType.Float, Shape.Of([.. dims]));
        }

        /// <summary>The rows that attention of queries by heads makes, of keys and values in rows.</summary>
        public IReadOnlyList<Value> Attend(Value q, Value? k = null)
        {
            k ??= Builder.Transpose(Input("k", KeyRows), 0, 2, 1, 3);
            var v = Builder.Transpose(Input("v", KeyRows), 0, 2, 1, 3);
            var results = Attention.Forward.Apply(Builder, [q, k, v, Builder.ScalarLike(q, 0.5), Builder.ScalarLike(q, 0)]);
            return [Builder.Transpose(results[0], 0, 2, 1, 3), results[1], results[2]];
        }
    }
}
