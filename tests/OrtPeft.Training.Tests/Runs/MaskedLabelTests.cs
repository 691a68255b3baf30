using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;
using OrtPeft.Training.Tests.Conformance;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>A loss that masks positions without a label is that of the picked positions, with the same gradients: in float64, of
/// frozen heads and trained ones, of logits that more than a product makes, and where there are virtual tokens.</summary>
public sealed class MaskedLabelTests
{
    public static TheoryData<string> Cases =>
        ["lora", "lora:head", "lora:tied", "lora:rows", "full", "prompt-tuning", "prefix-tuning", "bitfit"];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Build_WithAMask_GivesThePickedRowsLossAndGradients(string name)
    {
        var row = MethodCases.All.First(r => r.Name == name);
        Compare(() => PeftModel.Create(Tiny.Base, row.Config, seed: 1), TrainRun.Batch(0));
    }

    /// <summary>Scaled logits, as Granite's, are differentiated by the graph.</summary>
    [Fact]
    public void Build_OfLogitsThatAreScaled_GivesThePickedRowsLossAndGradients() => Compare(
        static () =>
        {
            var model = Tiny.Base;
            var g = GraphBuilder.Over(model);
            var logits = model.Graph.Outputs.Single(static o => o.Name == "logits");
            var scaled = g.Mul(logits, 0.5);
            model.Graph.RemoveOutput(logits);
            model.Graph.Rename(logits, "unscaled");
            model.Graph.Rename(scaled, "logits");
            model.Graph.AddOutput(scaled);
            return Tiny.Lora(model);
        },
        TrainRun.Batch(0));

    [Fact]
    public void Build_OfABatchWithoutALabel_GivesZeros()
    {
        var batch = TrainRun.Batch(0);
        batch["labels"] = Tensor.Of<long>(Enumerable.Repeat(-100L, (int)batch["labels"].Count).ToArray(), batch["labels"].Dims.AsSpan());
        var outputs = Run(Tiny.Lora(), batch, masks: true);

        Assert.All(outputs.Values, static v => Assert.All(v, static n => Assert.Equal(0, n)));
    }

    private static void Compare(Func<PeftModel> create, Dictionary<string, Tensor> batch)
    {
        var expected = Run(create(), batch, masks: false);
        var actual = Run(create(), batch, masks: true);

        Assert.Equal(expected.Keys, actual.Keys);
        Assert.Equal(expected[TrainingGraph.Count], actual[TrainingGraph.Count]);
        foreach (var (output, numbers) in expected)
        {
            var tolerance = 1e-12 * numbers.Max(Math.Abs);
            Assert.True(
                numbers.Zip(actual[output]).All(p => Math.Abs(p.First - p.Second) <= tolerance),
                $"{output}: {numbers.Zip(actual[output]).Max(static p => Math.Abs(p.First - p.Second))} > {tolerance}");
        }

        Assert.Contains(expected, static o => o.Key.EndsWith(".grad", StringComparison.Ordinal) && o.Value.Any(static n => n != 0));
    }

    private static Dictionary<string, double[]> Run(PeftModel peft, Dictionary<string, Tensor> batch, bool masks)
    {
        var graph = TrainingGraph.Build(peft, new CausalLm(), new TrainingGraphOptions { MasksLabels = masks });
        Assert.Equal(masks, !graph.Graph.Nodes.Any(static n => n.Is("NonZero")));
        var feeds = Feeds.Of(graph.Graph, batch);
        feeds[TrainingGraph.Scale] = Tensor.Scalar(0.125);
        if (graph.Contract.Input(Artifacts.ValueRoles.DropoutSeed) is { } seed)
            feeds[seed.Name] = Tensor.Scalar(7L);
        foreach (var (name, tensor) in peft.GetWeights())
            feeds[name] = DoublePrecision.Of(tensor);
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            IntraOpNumThreads = 1,
        };
        using var session = new InferenceSession(OnnxFile.ToBytes(DoublePrecision.Of(graph.Model)), options);
        return OnnxRun.Of(session, feeds).ToDictionary(
            static o => o.Key,
            static o => o.Key == TrainingGraph.Count
                ? Array.ConvertAll(o.Value.ToInt64(), static n => (double)n)
                : o.Value.Span<double>().ToArray());
    }
}
