using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// <c>MultiHeadAttention</c>: the products stand outside. Inputs: queries, keys, values, bias, padding mask, numbers to
/// add to the scores, past keys, past values. Queries, keys and values are three tensors, or keys and values are packed
/// as <c>[batch, total, heads, 2, width]</c>, or all of them as <c>[batch, sequence, heads, 3, width]</c>. Outputs: the
/// result, present keys, present values.
/// </summary>
/// <seealso href="https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md"/>
internal static class MultiHeadAttention
{
    public static Value?[] Of(Node node, GraphBuilder g)
    {
        if (node.Inputs.Skip(8).Any(static i => i is not null))
            throw ContribOps.Refusal(node, "a cache that past and present share (inputs from 8 on)");
        var heads = node.Attributes.Int("num_heads", 1);
        var (query, key, value) = Operands(node, g, heads);
        var isApart = key.Shape!.Rank == 4;
        var (width, valueWidth) = (AttentionCore.Width(node, query), AttentionCore.Width(node, value));
        if (isApart)
            valueWidth *= heads;
        var bias = Biases(node, g, width, valueWidth);
        var q = AttentionCore.Apart(g, Plus(g, query, bias[0]), heads, width / heads);
        var k = isApart ? key : AttentionCore.Apart(g, Plus(g, key, bias[1]), heads, width / heads);
        var v = isApart ? value : AttentionCore.Apart(g, Plus(g, value, bias[2]), heads, valueWidth / heads);
        k = node.Input(6) is { } pastKeys ? g.Concat(2, pastKeys, k) : k;
        v = node.Input(7) is { } pastValues ? g.Concat(2, pastValues, v) : v;
        var y = PackedAttention.Attend(node, g, q, k, v, Mask(node, g, k), node.Input(5));
        return [AttentionCore.Together(g, y, heads, valueWidth / heads), k, v];
    }

    /// <summary>
    /// Three tensors of three axes; keys and values of four, <c>[batch, heads, total, width]</c>, stay as they are:
    /// they come from elsewhere, and the bias is the queries' alone.
    /// </summary>
    private static (Value Query, Value Key, Value Value) Operands(Node node, GraphBuilder g, long heads)
    {
        var query = node.Inputs[0]!;
        switch (query.Shape?.Rank, node.Input(1)?.Shape?.Rank, node.Input(2)?.Shape?.Rank)
        {
            case (5, null, null):
                var all = Unpacked(node, g, query, heads, 3);
                return (all[0], all[1], all[2]);
            case (3, 5, null):
                var both = Unpacked(node, g, node.Inputs[1]!, heads, 2);
                return (query, both[0], both[1]);
            case (3, 3, 3) or (3, 4, 4):
                return (query, node.Inputs[1]!, node.Inputs[2]!);
            default:
                throw ContribOps.Refusal(
                    node, $"operands {string.Join(", ", node.Inputs.Take(3).Select(static i => $"{i}"))}");
        }
    }

    private static Value[] Unpacked(Node node, GraphBuilder g, Value packed, long heads, int count)
    {
        var width = AttentionCore.Width(node, packed);
        var parts = g.Split(packed, 3, [.. Enumerable.Repeat(1L, count)]);
        return [.. parts.Select(part => g.Reshape(part, 0, 0, heads * width))];
    }

    private static Value?[] Biases(Node node, GraphBuilder g, long width, long valueWidth) =>
        node.Input(3) is { } bias ? [.. g.Split(bias, 0, width, width, valueWidth)] : [null, null, null];

    /// <summary>
    /// A mask of one axis starts with each row's number of keys; what follows in its long form, <c>[3·batch + 2]</c>,
    /// are the same lengths added up.
    /// </summary>
    private static Value? Mask(Node node, GraphBuilder g, Value keys)
    {
        if (node.Input(4) is not { Shape.Rank: 1 } lengths)
            return node.Input(4);
        return g.Op("Slice", lengths, g.Int64(0), g.Unsqueeze(Lengths.Of(g, keys, 0), 0));
    }

    private static Value Plus(GraphBuilder g, Value x, Value? bias) => bias is null ? x : g.Add(x, bias);
}
