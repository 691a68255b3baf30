using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Contrib;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Onnx.Passes.Newer;

/// <summary>
/// <c>Attention</c> of opsets 23 and 24. Inputs: queries, keys and values as <c>[batch, heads, sequence, width]</c> or
/// <c>[batch, sequence, heads·width]</c>, a mask (booleans, or numbers to add), past keys, past values, and each row's
/// number of keys that count. Outputs: the result, present keys, present values, and on request scores.
/// </summary>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__Attention.html"/>
internal static class StandardAttention
{
    private const int RawScores = 0;
    private const int Weights = 3;

    public static Value?[] Of(Node node, GraphBuilder g)
    {
        var (q, heads) = Apart(node, g, 0, "q_num_heads");
        var (k, groups) = Apart(node, g, 1, "kv_num_heads");
        var (v, _) = Apart(node, g, 2, "kv_num_heads");
        k = node.Input(4) is { } pastKeys ? g.Concat(2, pastKeys, k) : k;
        v = node.Input(5) is { } pastValues ? g.Concat(2, pastValues, v) : v;
        var (width, valueWidth) = (AttentionCore.Width(node, q), AttentionCore.Width(node, v));
        var keys = AttentionCore.Spread(g, k, heads, groups, width);
        var raw = AttentionCore.Scores(g, q, keys, AttentionCore.ScaleOf(node, width));
        var capped = AttentionCore.Capped(g, raw, node.Attributes.Float("softcap", 0));
        var weights = SoftmaxOf(node, g, Masked(node, g, capped, q, k));
        var y = g.MatMul(weights, AttentionCore.Spread(g, v, heads, groups, valueWidth));
        var result = node.Inputs[0]!.Shape!.Rank == 4 ? y : AttentionCore.Together(g, y, heads, valueWidth);
        var scores = node.Attributes.Int("qk_matmul_output_mode", RawScores) switch
        {
            RawScores => raw,
            Weights => weights,
            _ => null,
        };
        return [result, k, v, scores];
    }

    private static (Value X, long Heads) Apart(Node node, GraphBuilder g, int input, string heads)
    {
        var x = node.Inputs[input]!;
        if (x.Shape is { Rank: 4 } shape && shape[1].Value is { } counted)
            return (x, counted);
        var given = node.Attributes.Int(heads, 0);
        if (x.Shape?.Rank != 3 || given <= 0)
            throw ContribOps.Refusal(node, $"an input {x} and {heads} {given}");
        return (AttentionCore.Apart(g, x, given, AttentionCore.Width(node, x) / given), given);
    }

    private static Value Masked(Node node, GraphBuilder g, Value scores, Value q, Value k)
    {
        var lowest = g.ScalarLike(scores, AttentionMasks.Lowest(scores.Type));
        if (node.Input(3) is { Type: ElementType.Bool } isSeen)
            scores = g.Where(ToTotal(g, isSeen, k, g.Scalar(ElementType.Bool, 0)), scores, lowest);
        else if (node.Input(3) is { } bias)
            scores = g.Term(scores) + ToTotal(g, bias, k, lowest);
        if (node.Attributes.Int("is_causal", 0) != 0)
            scores = g.Where(IsNotLater(node, g, q, k), scores, lowest);
        if (node.Input(6) is not { } counts)
            return scores;
        var key = Lengths.CountTo(g, Lengths.Of(g, k, 2));
        var counted = key < Reshape(Cast(g.Term(counts), ElementType.Int64), -1, 1, 1, 1);
        return Where(counted, scores, lowest);
    }

    /// <summary>A mask that ends before the last key hides the rest (opset 24).</summary>
    private static Value ToTotal(GraphBuilder g, Value mask, Value keys, Value hides)
    {
        var last = mask.Shape is { Rank: > 0 } shape ? shape[shape.Rank - 1] : default;
        var isWhole = last.Value == 1 || (keys.Shape is { } k && last.SurelyEquals(k[2]));
        if (isWhole || !last.IsKnown)
            return mask;
        var missing = Lengths.Of(g, keys, 2) - Lengths.Of(g, mask, mask.Shape!.Rank - 1);
        return g.Op("Pad", mask, g.Concat(0, g.Int64(0), Unsqueeze(missing, 0)), hides, g.Int64(-1));
    }

    /// <summary>The first query comes right after the past, whatever the number of keys.</summary>
    private static Value IsNotLater(Node node, GraphBuilder g, Value q, Value k)
    {
        var query = Lengths.CountTo(g, Lengths.Of(g, q, 2));
        if (node.Input(4) is { } past)
            query += Lengths.Of(g, past, 2);
        return Lengths.CountTo(g, Lengths.Of(g, k, 2)) <= Unsqueeze(query, 1);
    }

    private static Value SoftmaxOf(Node node, GraphBuilder g, Value scores)
    {
        const string Precision = "softmax_precision";
        var precision = node.Attributes.ElementType(Precision, scores.Type)
            ?? throw ContribOps.Refusal(node, $"{Precision} {node.Attributes.Int(Precision, 0)}");
        return Cast(Softmax(Cast(g.Term(scores), precision), axis: -1), scores.Type);
    }
}
