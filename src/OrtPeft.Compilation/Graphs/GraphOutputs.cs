using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Compilation.Graphs;

/// <summary>Exchanges the outputs of a graph.</summary>
internal static class GraphOutputs
{
    /// <summary>Makes some values the graph's only outputs.</summary>
    public static void Set(Graph graph, params IEnumerable<Value> outputs)
    {
        foreach (var output in graph.Outputs.ToArray())
            graph.RemoveOutput(output);
        foreach (var output in outputs)
            graph.AddOutput(output);
    }

    /// <summary>Makes a loss, its gradients and a last value the graph's only outputs.</summary>
    /// <param name="g">Adds nodes to the graph.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="gradients">The gradients with the parameters whose they are.</param>
    /// <param name="last">What the graph gives besides, under its own name; null for nothing.</param>
    public static void Set(
        GraphBuilder g, LossValues loss, IEnumerable<(Value Parameter, Value Gradient)> gradients, Value? last = null)
    {
        var graph = g.Graph;
        Set(graph);
        Name(loss.Sum, TrainingGraph.LossSum);
        Name(loss.Count, TrainingGraph.Count);
        foreach (var (parameter, gradient) in gradients)
        {
            var needsOwnName = gradient.IsGraphOutput || gradient.Producer is null;
            Name(needsOwnName ? g.Op("Identity", gradient) : gradient, TrainingGraph.GradientOf(parameter.Name));
        }

        if (last is not null)
            graph.AddOutput(last);
        graph.RemoveDeadCode();
        graph.SortTopologically();

        void Name(Value value, string name)
        {
            graph.Rename(value, name);
            graph.AddOutput(value);
        }
    }
}
