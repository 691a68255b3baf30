using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>What all attention operators share: heads apart, softmax(s·QKᵀ + mask)·V, heads together.</summary>
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
        g.Mul(g.MatMul(queries, g.Transpose(keys, 0, 1, 3, 2)), scale);

    /// <summary>The operator's own scale, or 1/√width.</summary>
    public static double ScaleOf(Node node, long width) =>
        node.Attributes.Float("scale", 0) is var scale and not 0 ? scale : 1 / Math.Sqrt(width);

    /// <summary>
    /// The scores plus the masks there are, through softmax, times the values. The masks are added up first: at −10000
    /// the order of the sum shows.
    /// </summary>
    public static Value Attend(GraphBuilder g, Value scores, Value values, Value? hidden = null, Value? bias = null)
    {
        var mask = hidden is not null && bias is not null ? g.Add(hidden, bias) : hidden ?? bias;
        return g.MatMul(g.Softmax(mask is null ? scores : g.Add(scores, mask)), values);
    }

    /// <summary>The last axis' length.</summary>
    /// <exception cref="UnsupportedOpException">It is not known.</exception>
    public static long Width(Node node, Value x) =>
        x.Shape is { Rank: > 0 } shape && shape[shape.Rank - 1].Value is { } width
        ? width
        : throw ContribOps.Refusal(node, $"an input {x} whose last axis is unknown");
}
