using System.Runtime.CompilerServices;
using OrtPeft.Onnx.Shapes.Rules;

namespace OrtPeft.Onnx.Shapes;

/// <summary>
/// Infers element types and symbolic axes of values, node by node, and follows small integer tensors through
/// <c>Shape → Gather → Concat → Reshape</c> chains so that computed shapes become known ones. Names of axes are symbols
/// on graph inputs only: elsewhere they are labels that some exporter wrote, which inferred axes replace. Not
/// thread-safe.
/// </summary>
/// <param name="opset">The version of the standard operator set that the nodes are written for.</param>
public sealed class ShapeInference(int opset)
{
    private readonly ConditionalWeakTable<Value, IReadOnlyList<SymbolicInteger?>> _data = [];

    /// <summary>The version of the standard operator set that the nodes are written for.</summary>
    public int Opset { get; } = opset;

    /// <summary>Infers every node of a graph in order; what cannot be inferred stays as it was.</summary>
    /// <param name="graph">The graph; subgraphs are inferred with it.</param>
    /// <exception cref="GraphException">A node contradicts its operator's definition.</exception>
    public void Infer(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        foreach (var node in graph.Nodes)
            Infer(node);
    }

    /// <summary>
    /// Infers one node's outputs from its inputs. An operator without a rule leaves them as they were.
    /// </summary>
    /// <param name="node">The node; its inputs have been inferred before.</param>
    /// <exception cref="GraphException">The node contradicts its operator's definition.</exception>
    public void Infer(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        foreach (var output in node.Outputs)
            _data.Remove(output);
        InferInside(node);
        if (!ShapeRules.ByOp.TryGetValue((node.Domain, node.OpType), out var row))
            return;
        var context = new ShapeContext(node, this);
        row.Check(context);
        row.Apply(context);
    }

    /// <summary>A body that reads slices of the node's inputs may not fit them, which is the node's fault.</summary>
    private void InferInside(Node node)
    {
        ControlFlowRules.Enter(node);
        try
        {
            foreach (var graph in node.Subgraphs)
                Infer(graph);
        }
        catch (GraphException e) when (node.Is("Scan"))
        {
            throw new GraphException($"{node}: in its body, {e.Message}", e);
        }
    }

    /// <summary>The elements of a small integer tensor, as far as they are known.</summary>
    /// <param name="value">A value of rank 0 or 1 with up to 64 elements: int64, int32, or bool as 0 and 1.</param>
    /// <returns>
    /// One entry per element, null where an element is unknown; null when the tensor is unknown altogether.
    /// </returns>
    public IReadOnlyList<SymbolicInteger?>? DataOf(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (_data.TryGetValue(value, out var known))
            return known;
        return value.Constant is { } constant ? IntegerData.Of(constant) : null;
    }

    internal void SetData(Value value, IReadOnlyList<SymbolicInteger?> data) => _data.AddOrUpdate(value, data);
}
