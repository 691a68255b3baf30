using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Portable;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Training.Tests.Conformance;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Placement;

/// <summary>No node on a tensor larger than a list of axes falls back to the CPU, by ONNX Runtime's tables of kernels, in
/// the training, evaluation and optimizer graphs of every method. WebGPU is run, see OrtPeft.WebGpu.Tests.</summary>
public sealed class PlacementTests
{
    /// <summary>What falls back all the same, and why that is accepted.</summary>
    private static readonly Dictionary<string, Dictionary<string, string>> _accepted = new()
    {
        ["cuda"] = new()
        {
            ["Pad(int64, int64, int64)"] = "masks and labels of virtual tokens: B × S integers",
            ["Pad(int64, int64, int64, )"] = "masks and labels of virtual tokens: B × S integers",
        },
        ["dml"] = new()
        {
            ["Gelu(float)"] = "evaluation alone; it has Gelu in com.microsoft's form only",
            ["ReduceSum(double)"] = "the gradient's norm, from one number for some 4,096 elements",
            ["ScatterElements(float, int64, float)"] = "gradients of rows of an embedding; it has none from opset 18 on",
            ["ScatterND(float, int64, float)"] = "gradients of labelled rows; it has none from opset 18 on",
        },
    };

    public static TheoryData<string> Providers => [.. _accepted.Keys];

    [Theory]
    [MemberData(nameof(Providers))]
    public void Graphs_OfEveryMethod_StayOnTheDevice(string provider)
    {
        var table = KernelTable.Of(provider);
        var strays = Graphs().SelectMany(g => Strays(table, g)).ToHashSet(StringComparer.Ordinal);

        Assert.Equal(
            string.Join('\n', _accepted[provider].Keys.Order(StringComparer.Ordinal)),
            string.Join('\n', strays.Order(StringComparer.Ordinal)));
    }

    private static IEnumerable<string> Strays(KernelTable table, Model model)
    {
        new ShapeInference(model.Opset).Infer(model.Graph);
        return model.Graph.Nodes
            .Where(n => n.Inputs.OfType<Value>().Concat(n.Outputs).Any(KernelTable.IsLarge) && !table.Has(n, model.Opset))
            .Select(static n => $"{n.OpType}({string.Join(", ", n.Inputs.Select(static i => i is null ? "" : KernelTable.NameOf(i.Type)))})");
    }

    private static IEnumerable<Model> Graphs()
    {
        foreach (var row in MethodCases.All.Where(static r => !r.RefusedOn.ContainsKey("gpt2")))
        {
            var peft = PeftModel.Create(Tiny.Base, row.Config, seed: 1);
            yield return TrainingGraph.Build(peft, new CausalLm()).Model;
            yield return EvaluationGraph.Build(peft, new CausalLm()).Model;
        }

        var lora = PortableParameters.Of(Tiny.Lora(), static _ => 1).All;
        yield return OptimizerGraph.Build(lora, new AdamWConfig()).Model;
    }
}
