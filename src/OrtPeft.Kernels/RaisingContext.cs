using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Kernels;

/// <summary>What a raising rule works with.</summary>
/// <param name="G">Adds nodes to the graph.</param>
/// <param name="Differentiated">The values between trainable parameters and the loss.</param>
public sealed record RaisingContext(GraphBuilder G, IReadOnlySet<Value> Differentiated)
{
    /// <summary>The masks that layers share.</summary>
    internal MergedMasks Masks { get; } = new(G);

    /// <summary>The nodes of a standard operator as they are now.</summary>
    /// <param name="opType">The operator.</param>
    /// <returns>The nodes in execution order.</returns>
    public IReadOnlyList<Node> Nodes(string opType) => [.. G.Graph.Nodes.Where(n => n.Is(opType))];

    /// <summary>Puts a node of an operator in the place of another, whose name becomes its scope.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="at">The node that goes; its first output becomes the new node's first.</param>
    /// <param name="inputs">What the new node reads.</param>
    /// <returns>The new node's outputs.</returns>
    public IReadOnlyList<Value> Put(FusedOp op, Node at, params ReadOnlySpan<Value?> inputs)
    {
        ArgumentNullException.ThrowIfNull(op);
        Before(at);
        var outputs = op.Apply(G, inputs);
        Replacement.Put(G, at, outputs);
        return outputs;
    }

    /// <summary>Makes a node the place where others are added.</summary>
    /// <param name="node">The node.</param>
    public void Before(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        (G.Before, G.Scope) = (node, node.Name);
    }
}
