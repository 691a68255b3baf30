using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters.Artifacts;
using OrtPeft.Adapters.Artifacts.Objectives;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>
/// Every fixture graph, saved by ONNX Runtime after each level of its own optimisation, is the graph it was.
/// </summary>
public sealed class OptimizedGraphTests : IDisposable
{
    /// <summary>Products count as one kind: with known shapes the optimiser makes a Gemm of MatMul and Add.</summary>
    private static readonly string[][] Operators =
    [
        ["Gemm", "MatMul"], ["LayerNormalization"], ["SimplifiedLayerNormalization"], ["Gelu"], ["Softmax"], ["Sigmoid"],
    ];

    private static readonly GraphOptimizationLevel[] Levels =
    [
        GraphOptimizationLevel.ORT_ENABLE_BASIC,
        GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
        GraphOptimizationLevel.ORT_ENABLE_ALL,
    ];

    private const int SmallestVocabulary = 67;

    private readonly TemporaryFolder _folder = new();

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
        var (before, after) = Both(graph, level);
        var feeds = Feeds(before);

        var expected = OnnxRun.Of(before, feeds);
        var actual = OnnxRun.Of(after, feeds);

        // Logits of order 10: float32's own rounding is 1e-6 of them.
        Near.Absolute(expected.Values.Single(), actual.Values.Single(), 1e-5, "logits");
    }

    /// <summary>
    /// The same parameters of the same modules, and the same products, normalisations and activations; only arithmetic
    /// of lengths is less.
    /// </summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void ForTraining_OnWhatOnnxRuntimeOptimized_IsTheSameGraph(string graph, GraphOptimizationLevel level)
    {
        var (before, after) = Both(graph, level);

        var expected = Training(before);
        var actual = Training(after);

        Assert.Equal(Values(expected.Inputs), Values(actual.Inputs));
        Assert.Equal(Values(expected.Outputs), Values(actual.Outputs));
        Assert.Equal(Work(expected), Work(actual));
        Assert.True(actual.Nodes.Count <= expected.Nodes.Count, $"{actual.Nodes.Count} > {expected.Nodes.Count} nodes");
    }

    public void Dispose() => _folder.Dispose();

    private static IEnumerable<(string Kind, int Count)> Work(Graph graph) =>
        Operators.Select(kind => (kind[0], graph.Nodes.Count(n => kind.Any(n.Is))));

    private static IEnumerable<string> Values(IEnumerable<Value> values) =>
        values.Select(static v => v.ToString()).Order(StringComparer.Ordinal);

    private static Graph Training(Model model)
    {
        var peft = PeftModel.Create(model, new LoraConfig { R = 2, TargetModules = ModuleTargets.AllLinear });
        return TrainingGraph.ForTraining(peft, new CausalLm()).Graph;
    }

    /// <summary>Both graphs in canonical form, with the logits alone and without a cache.</summary>
    private (Model Before, Model After) Both(string graph, GraphOptimizationLevel level)
    {
        var path = Fixtures.Graph(graph);
        return (Canonical(OnnxFile.Load(path)), Canonical(OptimizedGraph.Of(path, level, _folder)));
    }

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
}
