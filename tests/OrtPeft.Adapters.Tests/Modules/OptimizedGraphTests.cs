using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>
/// Every fixture graph, saved by ONNX Runtime after each level of its own optimisation, is the graph it was.
/// </summary>
public sealed class OptimizedGraphTests(OptimizedGraphTests.Originals originals)
    : IClassFixture<OptimizedGraphTests.Originals>
{
    /// <summary>Products count as one kind: with known shapes the optimiser makes a Gemm of MatMul and Add.</summary>
    private static readonly string[][] Operators =
    [
        ["Gemm", "MatMul"], ["LayerNormalization"], ["SimplifiedLayerNormalization"], ["Gelu"], ["Softmax"], ["Sigmoid"],
    ];

    private static readonly string[] Moving =
        ["Reshape", "Transpose", "Squeeze", "Unsqueeze", "Shape", "Gather", "Slice", "Concat"];

    private static readonly GraphOptimizationLevel[] Levels =
    [
        GraphOptimizationLevel.ORT_ENABLE_BASIC,
        GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
        GraphOptimizationLevel.ORT_ENABLE_ALL,
    ];

    private const int SmallestVocabulary = 67;

    public static TheoryData<string, GraphOptimizationLevel> Cases
    {
        get
        {
            var data = new TheoryData<string, GraphOptimizationLevel>();
            foreach (var graph in Fixtures.Graphs.Where(static g => !g.Contains("merged", StringComparison.Ordinal)))
                foreach (var level in Levels)
                    data.Add(graph, level);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Apply_OnWhatOnnxRuntimeOptimized_GivesTheSameLogits(string graph, GraphOptimizationLevel level)
    {
        var (original, optimized) = (originals.Of(graph), originals.Optimized(graph, level));

        var actual = OnnxRun.Of(optimized, Feeds(original.Model));

        // Logits of order 10: float32's own rounding is 1e-6 of them.
        Near.Absolute(original.Logits, actual.Values.Single(), 1e-5, "logits");
    }

    /// <summary>
    /// The same parameters of the same modules, and the same products, normalisations and activations; only arithmetic
    /// of lengths is less.
    /// </summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void ForTraining_OnWhatOnnxRuntimeOptimized_IsTheSameGraph(string graph, GraphOptimizationLevel level)
    {
        var expected = originals.Of(graph).Training;

        var actual = Training(originals.Optimized(graph, level));

        Assert.Equal(Values(expected.Inputs), Values(actual.Inputs));
        Assert.Equal(Values(expected.Outputs), Values(actual.Outputs));
        Assert.Equal(Work(expected), Work(actual));
        Assert.True(Computing(actual) <= Computing(expected), $"{Computing(actual)} > {Computing(expected)} nodes");
    }

    private static IEnumerable<(string Kind, int Count)> Work(Graph graph) =>
        Operators.Select(kind => (kind[0], graph.Nodes.Count(n => kind.Any(n.Is))));

    private static IEnumerable<string> Values(IEnumerable<Value> values) =>
        values.Select(static v => v.ToString()).Order(StringComparer.Ordinal);

    private static Graph Training(Model model)
    {
        var peft = PeftModel.Create(model, new LoraConfig { R = 2, TargetModules = ModuleTargets.AllLinear });
        return TrainingGraph.Build(peft, new CausalLm()).Graph;
    }

    /// <summary>A graph in canonical form, with the logits alone and without a cache.</summary>
    private static Model Canonical(Model model)
    {
        CanonicalForm.Apply(model);
        DropoutLowering.ForEvaluation(model);
        foreach (var output in model.Graph.Outputs.Skip(1).ToArray())
            model.Graph.RemoveOutput(output);
        model.Graph.RemoveDeadCode();
        PastRemoval.Run(model);
        return model;
    }

    private static Dictionary<string, Tensor> Feeds(Model model)
    {
        var random = new Random(5);
        return model.Graph.Inputs.ToDictionary(static i => i.Name, i => Feed(i, random));
    }

    private static Tensor Feed(Value input, Random random)
    {
        long[] dims = [.. input.Shape!.Select(static (d, axis) => d.Value ?? (axis == 0 ? 2 : 5))];
        var count = (int)dims.Aggregate(1L, static (a, b) => a * b);
        var numbers = Enumerable.Range(0, count).Select(i => (long)(input.Name switch
        {
            "input_ids" or "labels" => random.Next(SmallestVocabulary),
            "position_ids" => i % dims[^1],
            _ => 1,
        })).ToArray();
        return input.Type switch
        {
            ElementType.Int32 => Tensor.Of<int>([.. numbers.Select(static n => (int)n)], dims),
            ElementType.Float => Tensor.Of<float>([.. numbers.Select(static n => (float)n)], dims),
            _ => Tensor.Of<long>(numbers, dims),
        };
    }

    /// <summary>A graph as its exporter wrote it.</summary>
    internal sealed record Original(Model Model, Tensor Logits, Graph Training);

    /// <summary>Every graph and what becomes of it, made once for both tests and all levels.</summary>
    public sealed class Originals : IDisposable
    {
        private readonly Dictionary<string, Original> _originals = [];
        private readonly Dictionary<(string Graph, GraphOptimizationLevel Level), Model> _optimized = [];
        private readonly List<TemporaryFolder> _folders = [];

        internal Original Of(string graph)
        {
            if (_originals.TryGetValue(graph, out var opened))
                return opened;
            var model = Canonical(OnnxFile.Load(Fixtures.Graph(graph)));
            var logits = OnnxRun.Of(model, Feeds(model)).Values.Single();
            return _originals[graph] = new Original(model, logits, Training(model));
        }

        internal Model Optimized(string graph, GraphOptimizationLevel level)
        {
            if (_optimized.TryGetValue((graph, level), out var opened))
                return opened;
            _folders.Add(new TemporaryFolder());
            return _optimized[(graph, level)] = Canonical(
                OptimizedGraph.Of(Fixtures.Graph(graph), level, _folders[^1]));
        }

        public void Dispose()
        {
            foreach (var folder in _folders)
                folder.Dispose();
        }
    }

    /// <summary>How many nodes do more than to move numbers and to ask for lengths: a Gemm in the place of MatMul and
    /// Add wants two axes, and shapes for that.</summary>
    private static int Computing(Graph graph) => graph.Nodes.Count(static n => !Moving.Contains(n.OpType));
}
