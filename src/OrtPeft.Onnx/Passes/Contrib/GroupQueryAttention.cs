using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// <c>GroupQueryAttention</c>: causal attention where groups of query heads share a key head. Inputs: queries (or all
/// three packed), keys, values, past keys, past values, lengths, the total length, and rotary tables. The rows of a
/// batch have equally long pasts; without one, rows may be padded on the right, and results at padding differ.
/// </summary>
internal static class GroupQueryAttention
{
    public static Value?[] Of(Node node, GraphBuilder g)
    {
        Refuse(node);
        var (heads, groups) = (node.Attributes.Int("num_heads", 1), node.Attributes.Int("kv_num_heads", 1));
        var (query, key, value, width) = Operands(node, g, heads, groups);
        var q = AttentionCore.Apart(g, query, heads, width);
        var k = AttentionCore.Apart(g, key, groups, width);
        var v = AttentionCore.Apart(g, value, groups, width);
        var (pastKeys, pastValues) = (node.Input(3), node.Input(4));
        if (node.Attributes.Int("do_rotary", 0) != 0)
            (q, k) = Rotated(node, g, q, k, pastKeys);
        k = pastKeys is null ? k : g.Concat(2, pastKeys, k);
        v = pastValues is null ? v : g.Concat(2, pastValues, v);
        var spreadKeys = Spread(g, k, heads, groups, width);
        var scores = Capped(node, g, AttentionCore.Scores(g, q, spreadKeys, AttentionCore.ScaleOf(node, width)));
        var window = node.Attributes.Int("local_window_size", -1);
        var isSeen = AttentionMasks.IsNotLater(g, q, k, window > 0 ? window - 1 : null);
        var seen = g.Where(isSeen, scores, g.ScalarLike(scores, AttentionMasks.Lowest(scores.Type)));
        var y = AttentionCore.Attend(g, seen, Spread(g, v, heads, groups, width));
        return [AttentionCore.Together(g, y, heads, width), k, v];
    }

    private static (Value Query, Value Key, Value Value, long Width) Operands(
        Node node, GraphBuilder g, long heads, long groups)
    {
        var query = node.Inputs[0]!;
        var all = AttentionCore.Width(node, query);
        if (node.Input(1) is { } key && node.Input(2) is { } value)
            return (query, key, value, all / heads);
        var width = all / (heads + (2 * groups));
        var parts = g.Split(query, 2, heads * width, groups * width, groups * width);
        return (parts[0], parts[1], parts[2], width);
    }

    /// <summary>Places count from the end of the past.</summary>
    private static (Value Q, Value K) Rotated(Node node, GraphBuilder g, Value q, Value k, Value? pastKeys)
    {
        var places = Lengths.CountTo(g, Lengths.Of(g, q, 2));
        if (pastKeys is not null)
            places = g.Add(places, Lengths.Of(g, pastKeys, 2));
        var tables = Rotary.TablesAt(g, node.Inputs[7]!, node.Inputs[8]!, g.Unsqueeze(places, 0), headsAxis: 1);
        var isInterleaved = node.Attributes.Int("rotary_interleaved", 0) != 0;
        return (Rotary.Turn(node, g, q, tables, isInterleaved), Rotary.Turn(node, g, k, tables, isInterleaved));
    }

    /// <summary>Each key head repeated for the query heads of its group.</summary>
    private static Value Spread(GraphBuilder g, Value x, long heads, long groups, long width)
    {
        if (heads == groups)
            return x;
        var repeated = g.Expand(g.Unsqueeze(x, 2), g.Int64(1, 1, heads / groups, 1, 1));
        return g.Reshape(repeated, 0, heads, -1, width);
    }

    private static Value Capped(Node node, GraphBuilder g, Value scores) =>
        node.Attributes.Float("softcap", 0) is var cap and > 0
            ? g.Mul(g.Op("Tanh", g.Mul(scores, 1 / cap)), cap)
            : scores;

    private static void Refuse(Node node)
    {
        if (node.Attributes.Int("smooth_softmax", 0) == 1)
            throw ContribOps.Refusal(node, "smooth_softmax");
        if (node.Inputs.Skip(9).Any(static i => i is not null))
            throw ContribOps.Refusal(node, "position ids, score biases or sinks as inputs");
    }
}
