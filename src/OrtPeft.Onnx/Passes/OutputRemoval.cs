using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Takes results off a graph, with what only they needed: nodes, constants, and the input <c>labels</c> of a loss that
/// a graph brings of its own. Other inputs stay, so that callers may go on feeding them.
/// </summary>
internal static class OutputRemoval
{
    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model.</param>
    /// <param name="outputs">The results to take off.</param>
    /// <exception cref="GraphException">One is not a result of the model's graph.</exception>
    public static void Run(Model model, IEnumerable<Value> outputs)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(outputs);
        var graph = model.Graph;
        foreach (var output in outputs.ToArray())
            graph.RemoveOutput(output);
        graph.RemoveDeadCode();
        var labels = graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Labels);
        if (labels is { Uses.Count: 0, IsGraphOutput: false })
            graph.Remove(labels);
    }
}
