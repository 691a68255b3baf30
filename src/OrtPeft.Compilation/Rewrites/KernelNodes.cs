using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>What rewrites of nodes that kernels run share.</summary>
internal static class KernelNodes
{
    /// <summary>Adds a node of an operator, whose outputs have the shapes of given values.</summary>
    public static IReadOnlyList<Value> Apply(
        this FusedOp op, GraphBuilder g, Node at, ReadOnlySpan<Value?> inputs, params ReadOnlySpan<Value> like)
    {
        (g.Before, g.Scope) = (at, at.Name);
        var outputs = op.Apply(g, inputs);
        for (var i = 0; i < like.Length; i++)
            outputs[i].Shape = like[i].Shape;
        return outputs;
    }
}
