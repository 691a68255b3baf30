using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// <c>MultiHeadAttention</c>: the products stand outside. Inputs: queries, keys, values, bias, padding mask, numbers to
/// add to the scores, past keys, past values. Outputs: the result, present keys, present values.
/// </summary>
internal static class MultiHeadAttention
{
    public static Value?[] Of(Node node, GraphBuilder g)
    {
        var heads = node.Attributes.Int("num_heads", 1);
        var query = node.Inputs[0]!;
        if (query.Shape?.Rank != 3 || node.Input(1) is not { Shape.Rank: 3 or 4 } key || node.Input(2) is not { } value)
            throw ContribOps.Refusal(node, "queries, keys and values packed into one tensor");
        if (node.Inputs.Skip(8).Any(static i => i is not null))
            throw ContribOps.Refusal(node, "a cache that past and present share");
        var isApart = key.Shape!.Rank == 4;
        var (width, valueWidth) = (AttentionCore.Width(node, query), AttentionCore.Width(node, value));
        if (isApart)
            valueWidth *= heads;
        var bias = Biases(node, g, width, valueWidth, isApart);
        var q = AttentionCore.Apart(g, Plus(g, query, bias[0]), heads, width / heads);
        var k = isApart ? key : AttentionCore.Apart(g, Plus(g, key, bias[1]), heads, width / heads);
        var v = isApart ? value : AttentionCore.Apart(g, Plus(g, value, bias[2]), heads, valueWidth / heads);
        k = node.Input(6) is { } pastKeys ? g.Concat(2, pastKeys, k) : k;
        v = node.Input(7) is { } pastValues ? g.Concat(2, pastValues, v) : v;
        var y = PackedAttention.Attend(node, g, q, k, v, node.Input(4), node.Input(5));
        return [AttentionCore.Together(g, y, heads, valueWidth / heads), k, v];
    }

    private static IReadOnlyList<Value?> Biases(Node node, GraphBuilder g, long width, long valueWidth, bool isApart)
    {
        if (node.Input(3) is not { } bias)
            return [null, null, null];
        if (isApart)
            throw ContribOps.Refusal(node, "a bias and keys of four axes");
        return g.Split(bias, 0, width, width, valueWidth);
    }

    private static Value Plus(GraphBuilder g, Value x, Value? bias) => bias is null ? x : g.Add(x, bias);
}
