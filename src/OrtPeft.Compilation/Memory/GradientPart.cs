using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Memory;

/// <summary>The part of a training graph that computes gradients: all that depends on what scales them.</summary>
internal sealed class GradientPart
{
    private readonly HashSet<Value> _values = [];

    private GradientPart()
    {
    }

    /// <summary>Its nodes, in order.</summary>
    public List<Node> Nodes { get; } = [];

    /// <summary>The other nodes, in order.</summary>
    public List<Node> Forward { get; } = [];

    /// <summary>Finds the part in a graph whose nodes are in order.</summary>
    public static GradientPart Of(Graph graph)
    {
        var part = new GradientPart();
        part._values.UnionWith(graph.Inputs.Where(static i => i.Name == LossScope.ScaleInput));
        foreach (var node in graph.Nodes)
        {
            var isOfIt = node.Inputs.Any(part.Contains);
            (isOfIt ? part.Nodes : part.Forward).Add(node);
            if (isOfIt)
                part._values.UnionWith(node.Outputs);
        }

        return part;
    }

    /// <summary>Whether the part computes a value.</summary>
    public bool Contains(Value? value) => value is not null && _values.Contains(value);

    /// <summary>The gradient that a node is run with; null for none that waits for a node.</summary>
    public Value? TriggerOf(Node node) =>
        node.Inputs.FirstOrDefault(i => Contains(i) && i is { Type: ElementType.Float, Producer: not null });
}
