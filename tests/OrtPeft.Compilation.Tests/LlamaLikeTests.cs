using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Tests;
using OrtPeft.Adapters.Tests.Modules;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Compilation.Tests;

/// <summary>A decoder with Llama's parts, which no GPT-2 has.</summary>
public sealed class LlamaLikeTests
{
    private const string Norm = "SimplifiedLayerNormalization";

    [Fact]
    public void Apply_OnALlamaLikeGraph_KeepsTheLogitsAndFusesTheNorms()
    {
        var before = LlamaLike.Build();
        var after = LlamaLike.Build();

        CanonicalForm.Apply(after);

        Assert.Equal(5, after.Graph.Nodes.Count(static n => n.Is(Norm)));

        // Logits of order 1: some units in the last place of float32.
        Near.Absolute(OnnxRun.Of(before, Feeds)["logits"], OnnxRun.Of(after, Feeds)["logits"], 2e-6, "logits");
    }

    [Theory]
    [InlineData(GraphOptimizationLevel.ORT_ENABLE_BASIC)]
    [InlineData(GraphOptimizationLevel.ORT_ENABLE_EXTENDED)]
    [InlineData(GraphOptimizationLevel.ORT_ENABLE_ALL)]
    public void ForTraining_AfterOnnxRuntimesOptimiser_HasTheSameWork(GraphOptimizationLevel level)
    {
        using var folder = new TemporaryFolder();
        OnnxFile.Save(LlamaLike.Build(), folder["model.onnx"]);

        var expected = Training(OnnxFile.Load(folder["model.onnx"]));
        var actual = Training(OptimizedGraph.Of(folder["model.onnx"], level, folder));

        Assert.Equal(Signature(expected), Signature(actual));
        foreach (var op in (string[])["Gemm", "MatMul", Norm, "Softmax", "Sigmoid"])
            Assert.Equal((op, Count(expected, op)), (op, Count(actual, op)));
    }

    [Fact]
    public void ForTraining_WhenNormsAreFused_MakesASmallerGraph()
    {
        var unfused = LlamaLike.Build();
        foreach (var root in unfused.Graph.Nodes.Where(static n => n.Is("Reciprocal")).ToArray())
            unfused.Graph.AddOutput(root.Output.Uses[0].Node.Output);

        var before = Training(unfused).Nodes.Count;
        var after = Training(LlamaLike.Build()).Nodes.Count;

        // Five norms; each is one node forward where it was six, and has one rule backward where it had six.
        Assert.True(before - after >= 5 * 12, $"{after} nodes, {before} without fusion");
    }

    private static Dictionary<string, Tensor> Feeds { get; } = new()
    {
        ["input_ids"] = Tensor.Of<long>([3, 1, 4, 1, 5, 9, 2, 6], [2, 4]),
        ["attention_mask"] = Tensor.Of<long>([1, 1, 1, 1, 1, 1, 0, 0], [2, 4]),
    };

    private static int Count(Graph graph, string op) => graph.Nodes.Count(n => n.Is(op));

    private static IEnumerable<string> Signature(Graph graph) =>
        graph.Inputs.Concat(graph.Outputs).Select(static v => v.ToString()).Order(StringComparer.Ordinal);

    private static Graph Training(Model model)
    {
        var peft = PeftModel.Create(model, new LoraConfig { R = 2, TargetModules = ModuleTargets.AllLinear });
        return TrainingGraph.Build(peft, new CausalLm()).Graph;
    }
}
