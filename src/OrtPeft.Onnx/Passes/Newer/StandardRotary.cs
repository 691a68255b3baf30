using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Contrib;

namespace OrtPeft.Onnx.Passes.Newer;

/// <summary>
/// <c>RotaryEmbedding</c> of opset 23. Inputs: x as <c>[batch, heads, sequence, width]</c> or <c>[batch, sequence,
/// heads·width]</c>, cosines and sines by place, <c>[places, turned/2]</c>, with position ids, or by token,
/// <c>[batch, sequence, turned/2]</c>, without.
/// </summary>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html"/>
internal static class StandardRotary
{
    public static Value?[] Of(Node node, GraphBuilder g)
    {
        var x = node.Inputs[0]!;
        var isInterleaved = node.Attributes.Int("interleaved", 0) != 0;
        if (x.Shape?.Rank == 4)
            return [Rotary.Turn(node, g, x, Tables(node, g, headsAxis: 1), isInterleaved)];
        var heads = node.Attributes.Int("num_heads", 0);
        if (x.Shape?.Rank != 3 || heads <= 0)
            throw ContribOps.Refusal(node, $"an input {x} and num_heads {heads}");
        var all = AttentionCore.Width(node, x);
        var apart = g.Reshape(x, 0, 0, heads, all / heads);
        return [g.Reshape(Rotary.Turn(node, g, apart, Tables(node, g, headsAxis: 2), isInterleaved), 0, 0, all)];
    }

    private static (Value Cos, Value Sin) Tables(Node node, GraphBuilder g, long headsAxis)
    {
        var (cos, sin) = (node.Inputs[1]!, node.Inputs[2]!);
        return node.Input(3) is { } positions
            ? Rotary.TablesAt(g, cos, sin, positions, headsAxis)
            : (g.Unsqueeze(cos, headsAxis), g.Unsqueeze(sin, headsAxis));
    }
}
