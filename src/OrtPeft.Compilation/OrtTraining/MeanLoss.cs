using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.OrtTraining;

/// <summary>
/// Turns a graph that gives the sum of the losses and their count, and that is told what to multiply gradients by, into
/// one that gives the mean loss and its gradients. Without a supervised element both are 0.
/// </summary>
internal static class MeanLoss
{
    private const string Output = "loss";

    /// <summary>Edits the graph in place.</summary>
    /// <returns>Its model.</returns>
    public static Model Replace(CompiledGraph compiled)
    {
        var (model, graph, contract) = (compiled.Model, compiled.Graph, compiled.Contract);
        var g = GraphBuilder.Over(model);
        g.Scope = "/loss/mean";
        var (sum, count) = (graph.Outputs[0], graph.Outputs[1]);
        var divisor = Cast(Max(g.Term(count), 1), ElementType.Float);
        if (contract.Input(ValueRoles.LossScale) is { } input)
        {
            var scale = graph.Find(input.Name)!;
            graph.ReplaceAllUsesWith(scale, 1 / divisor);
            graph.Remove(scale);
        }

        Value mean = g.Term(sum) / divisor;
        var rest = graph.Outputs.Where(o => o != sum && o != count).ToArray();
        foreach (var output in graph.Outputs.ToArray())
            graph.RemoveOutput(output);
        graph.Rename(mean, graph.FreshName(Output));
        foreach (var output in rest.Prepend(mean))
            graph.AddOutput(output);
        graph.SortTopologically();
        return model;
    }
}
