using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Compilation.Tests.Memory;
using OrtPeft.Kernels;
using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;

namespace OrtPeft.Compilation.Tests.Rewrites;

/// <summary>What other exporters write is found as one operator each, like what OrtPeft builds.</summary>
public sealed class ExportedGraphsTests
{
    private const int Layers = 2;

    /// <summary>Graphs, and the operator that each of their layers' attention becomes.</summary>
    public static TheoryData<string, string> Graphs => new()
    {
        { "graphs/hf442_g2l_nopast_op13.onnx", "SelfAttention" },
        { "graphs/hf442_g2l_nopast_op13_nofold.onnx", "SelfAttention" },
        { "graphs/hf442_g2l_past_op17.onnx", "SelfAttention" },
        { "graphs/hf442_g2l_static3x11_op13.onnx", "SelfAttention" },
        { "graphs/ortopt_extended_hf442_g2l_nopast_op13.onnx", "SelfAttention" },
        { "graphs/nanogpt_g2l_op13.onnx", "SelfAttention" },
        { "exports/dynamo_llama.onnx", "AttentionInRows" },
        { "exports/dynamo_starcoder2.onnx", "AttentionInRows" },
        { "exports/optimum_granite.onnx", "AttentionInRows" },
        { "exports/torchscript_falcon.onnx", "AttentionInRows" },
        { "exports/genai_int4_llama.onnx", "AttentionInRows" },
        { "exports/genai_sinks.onnx", "AttentionInRows" },
        { "exports/dynamo_softcap.onnx", "AttentionInRows" },
    };

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Build_MakesOneOperatorOfEachAttention(string path, string expected)
    {
        var graph = TrainingGraph.Build(Adapted(path), new CausalLm(), new() { Speedups = Speedups.All }).Model.Graph;

        string[] attention = ["SelfAttention", "AttentionInRows", "Attention", "MaskedSoftmax", "Softmax"];
        Assert.Equal(
            Enumerable.Repeat(expected, Layers), graph.Nodes.Select(static n => n.OpType).Where(attention.Contains));
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Build_WithAllSpeedups_KeepsTheResults(string path, string attention)
    {
        var peft = Adapted(path);

        var plain = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [] }).Model;
        var rewritten = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = Speedups.All }).Model;

        Assert.Contains(rewritten.Graph.Nodes, n => n.Domain == FusedOp.Domain && n.OpType == attention);
        string[] inputs = [.. peft.Model.Graph.Inputs.Select(static i => i.Name), "labels", TrainingGraph.Scale];
        SameResults.Must(peft, plain, rewritten, TrainingRows.For(inputs, tokens: 61));
    }

    /// <summary>Graphs, and the operators that each of their layers' activation becomes.</summary>
    public static TheoryData<string, string[]> Activations => new()
    {
        { "exports/dynamo_starcoder2.onnx", ["Gelu", "GeluGrad"] },
        { "exports/torchscript_falcon.onnx", ["ErfGelu", "ErfGeluGrad"] },
        { "exports/dynamo_softcap.onnx", ["GatedSilu", "GatedSiluGrad"] },
    };

    [Theory]
    [MemberData(nameof(Activations))]
    public void Build_MakesOneOperatorOfEachActivation(string path, string[] expected)
    {
        var speedups = Speedups.Except(["recompute-passes"]); // which runs some of them twice
        var graph = TrainingGraph.Build(Adapted(path), new CausalLm(), new() { Speedups = speedups }).Model.Graph;

        string[] parts = ["Sigmoid", "Erf", "Tanh", "Exp"];
        var activations = ActivationOps.All.Concat(ActivationOps.Gates).Select(static op => op.Name).Concat(parts);
        Assert.Equal(
            Enumerable.Repeat(expected, Layers).SelectMany(static names => names).Order(),
            graph.Nodes.Select(static n => n.OpType).Where(activations.Contains).Order());
    }

    private static PeftModel Adapted(string path) => PeftModel.Create(
        OnnxFile.Load(Path.Combine(Fixtures.Folder, path)), new LoraConfig { TargetModules = "all-linear" }, seed: 3);
}
