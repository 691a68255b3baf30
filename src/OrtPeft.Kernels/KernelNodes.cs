using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels;

/// <summary>Helpers shared by rewrites of nodes that kernels run.</summary>
public static class KernelNodes
{
    /// <summary>Adds a node of an operator, whose outputs have the shapes of given values.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="g">Where to.</param>
    /// <param name="at">The node before which it is added.</param>
    /// <param name="inputs">What it reads; null leaves an optional one out.</param>
    /// <param name="like">Values of the outputs' shapes, as many as are known.</param>
    /// <returns>Its outputs.</returns>
    public static IReadOnlyList<Value> Apply(
        this FusedOp op, GraphBuilder g, Node at, ReadOnlySpan<Value?> inputs, params ReadOnlySpan<Value> like)
    {
        ArgumentNullException.ThrowIfNull(op);
        ArgumentNullException.ThrowIfNull(g);
        ArgumentNullException.ThrowIfNull(at);
        (g.Before, g.Scope) = (at, at.Name);
        var outputs = op.Apply(g, inputs);
        for (var i = 0; i < like.Length; i++)
            outputs[i].Shape = like[i].Shape;
        return outputs;
    }
}
