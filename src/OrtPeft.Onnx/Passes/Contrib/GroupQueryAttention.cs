using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// <c>GroupQueryAttention</c>: causal attention where groups of query heads share a key head. Inputs: queries (or all
/// three packed), keys, values, past keys, past values, each row's length less one, the longest length, cosines, sines,
/// position ids, score biases, a sink per head. Outputs: the result, present keys, present values. Rows may be padded
/// on the right, where the operator's own results are undefined.
/// </summary>
/// <seealso href="https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md"/>
internal static class GroupQueryAttention
{
    public static Value?[] Of(Node node, GraphBuilder g)
    {
        Refuse(node);
        var (heads, groups) = (node.Attributes.Int("num_heads", 1), node.Attributes.Int("kv_num_heads", 1));
        var (query, key, value, width) = Operands(node, g, heads, groups);
        StateAxes(node.Input(3), groups, width);
        StateAxes(node.Input(4), groups, width);
        var q = AttentionCore.Apart(g, query, heads, width);
        var k = AttentionCore.Apart(g, key, groups, width);
        var v = AttentionCore.Apart(g, value, groups, width);
        var cache = new RowCache(node, g, q);
        if (node.Attributes.Int("do_rotary", 0) != 0)
            (q, k) = Rotated(node, g, q, k, cache);
        var keys = AttentionCore.Spread(g, cache.Behind(node.Input(3), k), heads, groups, width);
        var values = AttentionCore.Spread(g, cache.Behind(node.Input(4), v), heads, groups, width);
        var scores = AttentionCore.Scores(g, q, keys, AttentionCore.ScaleOf(node, width));
        var capped = AttentionCore.Capped(g, scores, node.Attributes.Float("softcap", 0));
        var biased = node.Input(10) is { } bias ? g.Add(capped, cache.AtSlots(bias, scores)) : capped;
        var isSeen = cache.IsSeen(node.Attributes.Int("local_window_size", -1));
        var seen = g.Where(isSeen, biased, g.ScalarLike(scores, AttentionMasks.Lowest(scores.Type)));
        var y = g.MatMul(Weights(node, g, seen, heads), values);
        return
        [
            AttentionCore.Together(g, y, heads, width),
            cache.Present(node.Input(3), k, node.Outputs.ElementAtOrDefault(1)),
            cache.Present(node.Input(4), v, node.Outputs.ElementAtOrDefault(2)),
        ];
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

    /// <summary>A cache's heads and width, which builders give names, are the operator's.</summary>
    private static void StateAxes(Value? cache, long groups, long width)
    {
        if (cache is { IsGraphInput: true, Shape: { Rank: 4 } shape })
            cache.Shape = [shape[0], shape[1].Value ?? groups, shape[2], shape[3].Value ?? width];
    }

    /// <summary>Without position ids, places count from the end of each row's past.</summary>
    private static (Value Q, Value K) Rotated(Node node, GraphBuilder g, Value q, Value k, RowCache cache)
    {
        var places = node.Input(9) ?? cache.QueryPlaces;
        var tables = Rotary.TablesAt(g, node.Inputs[7]!, node.Inputs[8]!, places, headsAxis: 1);
        var isInterleaved = node.Attributes.Int("rotary_interleaved", 0) != 0;
        return (Rotary.Turn(node, g, q, tables, isInterleaved), Rotary.Turn(node, g, k, tables, isInterleaved));
    }

    /// <summary>
    /// Softmax, or with a sink softmax over one more score that has no value: exp(x) / (exp(sink) + Σ exp(x)); the sink
    /// of <c>smooth_softmax</c> is 0.
    /// </summary>
    private static Value Weights(Node node, GraphBuilder g, Value scores, long heads)
    {
        var isSmooth = node.Attributes.Int("smooth_softmax", 0) == 1;
        if (node.Input(11) is null && !isSmooth)
            return g.Softmax(scores);
        var sink = node.Input(11) is { } given
            ? g.Cast(g.Reshape(given, 1, heads, 1, 1), scores.Type)
            : g.Reshape(g.ScalarLike(scores, 0), 1, 1, 1, 1);
        var column = g.Concat(0, g.Op("Slice", g.Shape(scores), g.Int64(0), g.Int64(3)), g.Int64(1));
        var weights = g.Softmax(g.Concat(3, scores, g.Expand(sink, column)));
        return g.Op("Slice", weights, g.Int64(0), g.Int64(-1), g.Int64(3));
    }

    private static void Refuse(Node node)
    {
        foreach (var cache in (string[])["k_quant_type", "v_quant_type"])
        {
            if (node.Attributes.String(cache, "NONE") is var type and not "NONE")
                throw ContribOps.Refusal(node, $"a quantized cache ({cache} '{type}')");
        }

        if (node.Input(5) is null || node.Input(6) is null)
            throw ContribOps.Refusal(node, "no lengths (inputs 5 and 6, seqlens_k and total_sequence_length)");
        if (node.Attributes.Int("do_rotary", 0) != 0 && (node.Input(7) is null || node.Input(8) is null))
            throw ContribOps.Refusal(node, "do_rotary, but no tables (inputs 7 and 8, cos_cache and sin_cache)");
        if (node.Inputs.Skip(12).Any(static i => i is not null))
            throw ContribOps.Refusal(node, $"{node.Inputs.Count} inputs, of which it knows 12,");
    }
}
