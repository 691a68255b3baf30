namespace OrtPeft.Onnx.Shapes;

/// <summary>
/// Infers element types and symbolic axes of values, node by node, and follows small integer tensors through
/// <c>Shape → Gather → Concat → Reshape</c> chains so that computed shapes become known ones. Not thread-safe.
/// </summary>
/// <param name="opset">The version of the standard operator set that the nodes are written for.</param>
public sealed class ShapeInference(int opset)
{
    private readonly Dictionary<Value, IReadOnlyList<SymbolicInteger?>> _data = [];

    /// <summary>The version of the standard operator set that the nodes are written for.</summary>
    public int Opset { get; } = opset;

    /// <summary>Infers every node of a graph in order; what cannot be inferred stays as it was.</summary>
    /// <param name="graph">The graph; subgraphs are inferred with it.</param>
    public void Infer(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        foreach (var node in graph.Nodes)
            Infer(node);
    }

    /// <summary>Infers one node's outputs from its inputs.</summary>
    /// <param name="node">The node; its inputs have been inferred before.</param>
    public void Infer(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        _data.Clear();
    }

    /// <summary>The elements of a small integer tensor, as far as they are known.</summary>
    /// <param name="value">A value of rank 0 or 1, int64 or int32.</param>
    /// <returns>One entry per element, null where an element is unknown; null when the tensor is unknown altogether.</returns>
    public IReadOnlyList<SymbolicInteger?>? DataOf(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return _data.GetValueOrDefault(value);
    }
}
