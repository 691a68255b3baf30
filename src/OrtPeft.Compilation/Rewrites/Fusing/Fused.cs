using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>What the rewrites to operators of <see cref="FusedOps"/> share.</summary>
internal static class Fused
{
    /// <summary>Applies an operator, whose outputs are float32 and have the shapes of given values.</summary>
    public static IReadOnlyList<Value> Ops(
        GraphBuilder g, Node at, string op, ReadOnlySpan<Value?> inputs, params ReadOnlySpan<Value> like)
    {
        (g.Before, g.Scope) = (at, at.Name);
        var outputs = g.Ops(op, like.Length, inputs, [], FusedOps.Domain);
        for (var i = 0; i < like.Length; i++)
            (outputs[i].Type, outputs[i].Shape) = (ElementType.Float, like[i].Shape);
        return outputs;
    }

    /// <summary>Applies an operator whose one output has a given value's shape.</summary>
    public static Value Op(GraphBuilder g, Node at, string op, Value like, params ReadOnlySpan<Value?> inputs) =>
        Ops(g, at, op, inputs, like)[0];

    /// <summary>Whether a node is one of the operators.</summary>
    public static bool Is(Node node, string op) => node.Domain == FusedOps.Domain && node.OpType == op;

    /// <summary>The nodes of an operator that read a value.</summary>
    public static IEnumerable<Node> Readers(Value value, string op) =>
        value.Uses.Select(static u => u.Node).Where(n => n.Is(op)).Distinct();

    /// <summary>The node that makes a value, if it is of an operator.</summary>
    public static Node? Maker(Value? value, string op) => value?.Producer is { } node && node.Is(op) ? node : null;

    /// <summary>Of a node with two inputs, the one that is not a given value; null where neither is it.</summary>
    public static Value? Other(Node node, Value one) =>
        node.Inputs[0] == one ? node.Inputs[1] : node.Inputs[1] == one ? node.Inputs[0] : null;

    /// <summary>Whether an operator works on the last of its input's axes.</summary>
    public static bool IsOnLastAxis(Node node) => node.Inputs[0]!.Shape is { Rank: > 0 } shape
        && node.Attributes.Int("axis", -1) is var axis && (axis == -1 || axis == shape.Rank - 1);
}
