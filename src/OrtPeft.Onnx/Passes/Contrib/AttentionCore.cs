using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>The common part of all attention operators: heads apart, softmax(s·QKᵀ + mask)·V, heads together.</summary>
internal static class AttentionCore
{
    /// <summary><c>[batch, sequence, heads·width]</c> to <c>[batch, heads, sequence, width]</c>.</summary>
    public static Value Apart(GraphBuilder g, Value x, long heads, long width) =>
        g.Transpose(g.Reshape(x, 0, 0, heads, width), 0, 2, 1, 3);

    /// <summary><c>[batch, heads, sequence, width]</c> to <c>[batch, sequence, heads·width]</c>.</summary>
    public static Value Together(GraphBuilder g, Value x, long heads, long width) =>
        g.Reshape(g.Transpose(x, 0, 2, 1, 3), 0, 0, heads * width);

    /// <summary>s·QKᵀ, <c>[batch, heads, sequence, total]</c>.</summary>
    public static Value Scores(GraphBuilder g, Value queries, Value keys, double scale) =>
        MatMul(g.Term(queries), g.Transpose(keys, 0, 1, 3, 2)) * scale;

    /// <summary>The operator's own scale, or 1/√width.</summary>
    public static double ScaleOf(Node node, long width) =>
        node.Attributes.Float("scale", 0) is var scale and not 0 ? scale : 1 / Math.Sqrt(width);

    /// <summary>Each key head repeated for the query heads of its group.</summary>
    public static Value Spread(GraphBuilder g, Value x, long heads, long groups, long width)
    {
        if (heads == groups)
            return x;
        var repeated = g.Expand(g.Unsqueeze(x, 2), g.Int64(1, 1, heads / groups, 1, 1));
        return g.Reshape(repeated, 0, heads, -1, width);
    }

    /// <summary>cap·tanh(scores/cap); the scores as they are where the cap is 0.</summary>
    public static Value Capped(GraphBuilder g, Value scores, double cap) =>
        cap > 0 ? cap * Tanh(g.Term(scores) * (1 / cap)) : scores;

    /// <summary>
    /// The scores plus the masks there are, through softmax, times the values. The masks are added up first: at −10000
    /// the order of the sum shows.
    /// </summary>
    public static Value Attend(GraphBuilder g, Value scores, Value values, Value? hidden = null, Value? bias = null)
    {
        var mask = hidden is not null && bias is not null ? g.Term(hidden) + bias : hidden ?? bias;
        return MatMul(Softmax(mask is null ? g.Term(scores) : g.Term(scores) + mask, axis: -1), values);
    }

    /// <summary>The last axis' length.</summary>
    /// <exception cref="UnsupportedOpException">It is not known.</exception>
    public static long Width(Node node, Value x) =>
        x.Shape is { Rank: > 0 } shape && shape[shape.Rank - 1].Value is { } width
        ? width
        : throw (UnknownBehind(x) is { } unknown
            ? new UnsupportedOpException(
                $"{unknown}: OrtPeft does not know what this operator makes, and {node} after it needs that; export "
                + "the model without it.")
            : ContribOps.Refusal(node, $"an input {x} whose last axis is unknown"));

    /// <summary>The first operator on the way to a value that makes something of which not even the type is known.
    /// </summary>
    private static Node? UnknownBehind(Value value)
    {
        var (seen, unknown) = (new HashSet<Value>(), (Node?)null);
        var next = value;
        while (next is { Type: ElementType.Undefined, Producer: { } node } && seen.Add(next))
        {
            unknown = node;
            next = node.Inputs.FirstOrDefault(static i => i is { Type: ElementType.Undefined, Producer: not null });
        }

        return unknown;
    }
}
