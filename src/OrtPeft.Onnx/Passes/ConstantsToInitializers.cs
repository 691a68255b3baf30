using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes;

/// <summary>Turns the main graph's <c>Constant</c> nodes into initializers of the same name.</summary>
internal static class ConstantsToInitializers
{
    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        foreach (var node in graph.Nodes.Where(static n => n.Is("Constant")).ToArray())
        {
            if (node.Output is { Constant: { } content, IsGraphOutput: false, Name.Length: > 0 } output)
                Replace(graph, node, output, content);
        }
    }

    private static void Replace(Graph graph, Node node, Value output, Tensor content)
    {
        var name = output.Name;
        graph.Rename(output, graph.FreshName(name + "/replaced"));
        graph.ReplaceAllUsesWith(output, graph.AddInitializer(name, content));
        graph.Remove(node);
    }
}
