using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// <c>RotaryEmbedding</c>: turns pairs of a head's elements by an angle that grows with the place. Inputs: x as
/// <c>[batch, sequence, heads·width]</c> or <c>[batch, heads, sequence, width]</c>, position ids <c>[batch,
/// sequence]</c> or the first one <c>[1]</c>, tables <c>[places, width/2]</c> of cosines and sines.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2104.09864">Su et al., RoFormer, equation 34.</seealso>
internal static class Rotary
{
    public static Value Of(Node node, GraphBuilder g)
    {
        var x = node.Inputs[0]!;
        if (node.Attributes.Int("is_packed_batching", 0) != 0 || x.Shape is not { Rank: 3 or 4 } shape)
            throw ContribOps.Refusal(node, "packed batches");
        var isInterleaved = node.Attributes.Int("interleaved", 0) != 0;
        var positions = Positions(node, g, x, shape.Rank == 3 ? 1 : 2);
        var tables = TablesAt(g, node.Inputs[2]!, node.Inputs[3]!, positions, shape.Rank == 3 ? 2 : 1);
        if (shape.Rank == 4)
            return Turn(node, g, x, tables, isInterleaved);
        var all = AttentionCore.Width(node, x);
        var heads = node.Attributes.Int("num_heads", 0);
        var isPartial = node.Attributes.Int("rotary_embedding_dim", 0) > 0;
        var width = isPartial ? all / heads : 2 * AttentionCore.Width(node, node.Inputs[2]!);
        var turned = Turn(node, g, g.Reshape(x, 0, 0, all / width, width), tables, isInterleaved);
        return g.Reshape(turned, 0, 0, all);
    }

    /// <summary>Cosines and sines at positions, with an axis of length 1 for the heads.</summary>
    public static (Value Cos, Value Sin) TablesAt(
        GraphBuilder g, Value cos, Value sin, Value positions, long headsAxis) =>
        (g.Unsqueeze(g.Gather(cos, positions), headsAxis), g.Unsqueeze(g.Gather(sin, positions), headsAxis));

    /// <summary>Turns the first elements of each head, as many as the tables are made for; the others stay.</summary>
    public static Value Turn(Node node, GraphBuilder g, Value x, (Value Cos, Value Sin) tables, bool isInterleaved)
    {
        var width = AttentionCore.Width(node, x);
        var turns = 2 * AttentionCore.Width(node, tables.Cos);
        if (turns == width)
            return TurnAll(g, x, tables, turns, isInterleaved);
        var parts = g.Split(x, 3, turns, width - turns);
        return g.Concat(3, TurnAll(g, parts[0], tables, turns, isInterleaved), parts[1]);
    }

    /// <summary>
    /// (a, b) becomes (a·cos − b·sin, b·cos + a·sin); a and b are halves, or alternate when interleaved.
    /// </summary>
    private static Value TurnAll(GraphBuilder g, Value x, (Value Cos, Value Sin) tables, long width, bool isInterleaved)
    {
        var half = width / 2;
        var parts = isInterleaved
            ? [.. g.Split(g.Reshape(x, 0, 0, 0, half, 2), 4, 1, 1).Select(part => g.Squeeze(part, 4))]
            : g.Split(x, 3, half, half);
        var (a, b, (cos, sin)) = (g.Term(parts[0]), g.Term(parts[1]), tables);
        var first = a * cos - b * sin;
        var second = b * cos + a * sin;
        if (!isInterleaved)
            return g.Concat(3, first, second);
        return g.Reshape(g.Concat(4, g.Unsqueeze(first, 4), g.Unsqueeze(second, 4)), 0, 0, 0, width);
    }

    private static Value Positions(Node node, GraphBuilder g, Value x, long sequenceAxis)
    {
        var given = node.Inputs[1]!;
        if (given.Shape?.Rank == 2)
            return given;
        var places = Lengths.CountTo(g, Lengths.Of(g, x, sequenceAxis)) + Cast(g.Term(given), ElementType.Int64);
        return Unsqueeze(places, 0);
    }
}
