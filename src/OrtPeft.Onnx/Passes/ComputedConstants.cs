using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Replaces integer values that shape inference knows completely (lengths, indices) by constants, and drops empty parts
/// of concatenations. With an input's axis declared 0, everything that was only there for it disappears.
/// </summary>
internal static class ComputedConstants
{
    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var shapes = new ShapeInference(model.Opset);
        shapes.Infer(model.Graph);
        foreach (var node in model.Graph.Nodes.ToArray())
        {
            if (node.Outputs.Count == 1)
                Fold(model.Graph, node.Output, shapes);
            if (node.Is("Concat"))
                DropEmptyParts(model.Graph, node);
        }

        model.Graph.RemoveDeadCode();
    }

    /// <summary>Replaces only what nodes compute of constants, such as the axes that some exporters give through a
    /// <c>Reshape</c>.</summary>
    /// <param name="model">The model, its constants being initializers.</param>
    public static void OfConstants(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var shapes = new ShapeInference(model.Opset);
        shapes.Infer(model.Graph);
        foreach (var node in model.Graph.Nodes.ToArray())
        {
            if (node is { Outputs.Count: 1, Inputs.Count: > 0 }
                && node.Inputs.All(static i => i is null or { Initializer: not null, IsGraphInput: false }))
                Fold(model.Graph, node.Output, shapes);
        }

        model.Graph.RemoveDeadCode();
    }

    private static void Fold(Graph graph, Value value, ShapeInference shapes)
    {
        if (value.IsGraphOutput || value.Uses.Count == 0 || value.Shape is not { Rank: <= 1 } shape || shapes.DataOf(value) is not { } data)
            return;
        if (value.Type != ElementType.Int64 || data.Any(static d => d?.Constant is null))
            return;
        long[] numbers = [.. data.Select(static d => d!.Constant!.Value)];
        var content = Tensor.Of<long>(numbers, shape.Rank == 0 ? [] : [numbers.Length]);
        graph.ReplaceAllUsesWith(value, graph.AddInitializer(graph.FreshName(value.Name + "/known"), content));
    }

    private static void DropEmptyParts(Graph graph, Node concat)
    {
        if (concat.Output is not { Uses.Count: > 0, Shape: { } shape })
            return;
        var axis = (int)concat.Attributes.Int("axis", 0);
        axis = axis < 0 ? axis + shape.Rank : axis;
        var parts = concat.Inputs.OfType<Value>().Where(p => p.Shape?[axis].Value != 0).ToArray();
        if (parts.Length != 1 || concat.Output.IsGraphOutput)
            return;
        graph.ReplaceAllUsesWith(concat.Output, parts[0]);
    }
}
