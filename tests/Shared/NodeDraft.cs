using OrtPeft.Onnx;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Testing;

/// <summary>What a node is made of, to be changed and put in its place under the name <see cref="Name"/>.</summary>
internal sealed class NodeDraft
{
    /// <summary>What messages must name.</summary>
    public const string Name = "/odd";

    private readonly Node _node;

    private NodeDraft(Node node)
    {
        _node = node;
        Inputs = [.. node.Inputs];
        Outputs = [.. node.Outputs.Select(o => o.Name.Length == 0 ? "" : Graph.FreshName($"{o.Name}/odd"))];
        Attributes = [.. node.Attributes.Select(static a => a.Kind == AttributeKind.Graph
            ? NodeAttribute.Of(a.Name, GraphCopy.Again(a.AsGraph(), ""))
            : a)];
    }

    public List<Value?> Inputs { get; }

    public List<string> Outputs { get; }

    public List<NodeAttribute> Attributes { get; }

    public Graph Graph => _node.Graph!;

    /// <summary>Puts a changed node in a node's place; those who read an output that is gone read the first one.</summary>
    public static void Replace(Node node, NodeDamage damage)
    {
        var draft = new NodeDraft(node);
        damage.Apply(draft);
        var graph = draft.Graph;
        var odd = graph.AddNode(
            node.OpType, draft.Inputs, draft.Outputs, draft.Attributes, node.Domain, Name, before: node);
        foreach (var (index, output) in node.Outputs.Index().Where(static o => o.Item.Name.Length > 0))
        {
            var replacement = odd.Outputs.ElementAtOrDefault(index) is { Name.Length: > 0 } kept
                ? kept
                : odd.Outputs.FirstOrDefault(static o => o.Name.Length > 0);
            if (replacement is { IsGraphOutput: false })
                graph.ReplaceAllUsesWith(output, replacement);
            else
                Drop(graph, output);
        }

        node.Attributes.Clear();
        graph.Remove(node);
    }

    public Value Fed(ElementType type, Shape? shape) => Graph.AddInput(Graph.FreshName("odd_input"), type, shape);

    /// <summary>Gives an input another type; what is not fed is fed from now on.</summary>
    public void Change(int index, ElementType type)
    {
        if (Inputs[index] is { } input)
            Feed(index, type, input.Shape);
    }

    /// <summary>Gives an input another shape, null for an unknown one.</summary>
    public void Change(int index, ElementType? type, Shape? shape)
    {
        if (Inputs[index] is { } input)
            Feed(index, type ?? input.Type, shape);
    }

    private void Feed(int index, ElementType type, Shape? shape)
    {
        if (Inputs[index] is not { IsGraphInput: true, Initializer: null } input)
            Inputs[index] = Fed(type, shape);
        else
            (input.Type, input.Shape) = (type, shape);
    }

    /// <summary>Those who read an output that is gone are fed, and a result of the graph goes.</summary>
    private static void Drop(Graph graph, Value output)
    {
        if (output.IsGraphOutput)
            graph.RemoveOutput(output);
        if (output.Uses.Count > 0)
            graph.ReplaceAllUsesWith(output, graph.AddInput(graph.FreshName("odd_input"), output.Type, output.Shape));
    }
}
