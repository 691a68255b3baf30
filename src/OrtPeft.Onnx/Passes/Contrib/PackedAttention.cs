using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// <c>Attention</c>: queries, keys and values from one product. Inputs: x, weights <c>[width, q + k + v]</c>, bias,
/// mask, past <c>[2, batch, heads, past, width]</c>, and numbers to add to the scores. Outputs: the result, the stacked
/// present.
/// </summary>
internal static class PackedAttention
{
    public static Value?[] Of(Node node, GraphBuilder g)
    {
        Refuse(node);
        var heads = node.Attributes.Int("num_heads", 1);
        var weights = node.Inputs[1]!;
        var all = AttentionCore.Width(node, weights);
        var widths = node.Attributes.Ints("qkv_hidden_sizes") ?? [all / 3, all / 3, all / 3];
        var product = g.MatMul(node.Inputs[0]!, weights);
        var parts = g.Split(node.Input(2) is { } bias ? g.Add(product, bias) : product, 2, widths);
        var q = AttentionCore.Apart(g, parts[0], heads, widths[0] / heads);
        var k = AttentionCore.Apart(g, parts[1], heads, widths[1] / heads);
        var v = AttentionCore.Apart(g, parts[2], heads, widths[2] / heads);
        if (node.Input(4) is { } past)
        {
            k = g.Concat(2, g.Gather(past, g.Int64Scalar(0)), k);
            v = g.Concat(2, g.Gather(past, g.Int64Scalar(1)), v);
        }

        var y = Attend(node, g, q, k, v, node.Input(3), node.Input(5));
        return [AttentionCore.Together(g, y, heads, widths[2] / heads), Present(node, g, k, v)];
    }

    /// <summary>Attention with ONNX Runtime's masks; <c>[batch, heads, sequence, width]</c>.</summary>
    public static Value Attend(Node node, GraphBuilder g, Value q, Value k, Value v, Value? mask, Value? bias)
    {
        var scores = AttentionCore.Scores(g, q, k, AttentionCore.ScaleOf(node, AttentionCore.Width(node, q)));
        var hidden = mask is null ? null : AttentionMasks.Padding(node, g, mask, k, q.Type);
        if (node.Attributes.Int("unidirectional", 0) != 0)
            hidden = AttentionMasks.WithoutFuture(g, q, k, hidden);
        return AttentionCore.Attend(g, scores, v, hidden, bias);
    }

    private static Value? Present(Node node, GraphBuilder g, Value k, Value v) =>
        node.Outputs.Count > 1 ? g.Concat(0, g.Unsqueeze(k, 0), g.Unsqueeze(v, 0)) : null;

    private static void Refuse(Node node)
    {
        if (node.Attributes.Int("do_rotary", 0) != 0)
            throw ContribOps.Refusal(node, "do_rotary");
        if (node.Attributes.Int("past_present_share_buffer", 0) != 0 || node.Input(6) is not null)
            throw ContribOps.Refusal(node, "a cache that past and present share");
    }
}
