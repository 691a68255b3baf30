using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Kernels;

/// <summary>The graph that a raising rule works with.</summary>
/// <param name="G">Adds nodes to the graph.</param>
/// <param name="Differentiated">The values between trainable parameters and the loss.</param>
public sealed record RaisingContext(GraphBuilder G, IReadOnlySet<Value> Differentiated)
{
    /// <summary>The masks that layers share.</summary>
    internal MergedMasks Masks { get; } = new(G);

    /// <summary>The tables of rotary embedding that layers share.</summary>
    internal SignedTables Tables { get; } = new(G);

    /// <summary>The nodes of a standard operator as they are now.</summary>
    /// <param name="opType">The operator.</param>
    /// <returns>The nodes in execution order.</returns>
    public IReadOnlyList<Node> Nodes(string opType) => [.. G.Graph.Nodes.Where(n => n.Is(opType))];

    /// <summary>Adds a node of an operator, if what was found fits its signature: a graph may hold the nodes of an
    /// operator and yet not its shapes.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="inputs">What the new node reads.</param>
    /// <param name="attributes">Its constants.</param>
    /// <returns>The new node's outputs; null where the standard nodes have to stay.</returns>
    public IReadOnlyList<Value>? Apply(
        FusedOp op, ReadOnlySpan<Value?> inputs, params ReadOnlySpan<NodeAttribute> attributes)
    {
        ArgumentNullException.ThrowIfNull(op);
        return op.Signature.Fits(inputs) ? op.Apply(G, inputs, attributes) : null;
    }

    /// <summary>Puts a node of an operator in the place of another, whose name becomes its scope; the other stays where
    /// what was found does not fit.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="at">The node that goes; its first output becomes the new node's first.</param>
    /// <param name="inputs">What the new node reads.</param>
    public void Put(FusedOp op, Node at, params ReadOnlySpan<Value?> inputs)
    {
        Before(at);
        if (Apply(op, inputs) is { } outputs)
            Replacement.Put(G, at, outputs);
    }

    /// <summary>Makes a node the place where others are added.</summary>
    /// <param name="node">The node.</param>
    public void Before(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        (G.Before, G.Scope) = (node, node.Name);
    }
}
