using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Artifacts.Speed;

/// <summary>
/// Attention that puts a lowest number where the future is and then adds the padding mask,
/// <c>Where(causal, scores, low) + padding</c>, becomes <c>scores + mask</c> with
/// <c>mask = Where(causal, 0, low) + padding</c>: one pass over the scores instead of two, and none backwards instead of
/// one. Masks of equal parts are made once for all layers.
/// </summary>
/// <remarks>
/// The results are the same bits: added to a number beyond 2¹⁰⁰, scores vanish in rounding. Backwards, scores under the
/// mask get a gradient of probability 0 times a finite number. Only a row without any visible key, which is padding
/// itself and reaches no loss, differs there.
/// </remarks>
internal static class MaskMerging
{
    /// <summary>The mask's number must be at most this.</summary>
    private const double Low = -1e30;

    public static void Run(GraphBuilder g)
    {
        var masks = new Dictionary<(Value Causal, Value Low, Value Padding), Value>();
        foreach (var add in g.Graph.Nodes.Where(static n => n.Is("Add")).ToArray())
        {
            if (Find(add) is not { } found)
                continue;
            var (where, padding) = found;
            var (causal, low) = (where.Inputs[0]!, where.Inputs[2]!);
            if (!masks.TryGetValue((causal, low, padding), out var mask))
            {
                g.Before = add;
                g.Scope = "/mask";
                mask = g.Add(g.Where(causal, g.ScalarLike(low, 0), low), padding);
                masks.Add((causal, low, padding), mask);
            }

            add.SetInput(0, where.Inputs[1]!);
            add.SetInput(1, mask);
        }

        g.Before = null;
        g.Scope = "";
    }

    private static (Node Where, Value Padding)? Find(Node add)
    {
        for (var side = 0; side < 2; side++)
        {
            var (masked, padding) = (add.Inputs[side]!, add.Inputs[1 - side]!);
            if (masked.Producer is { } where && where.Is("Where") && masked.Uses.Count == 1 && !masked.IsGraphOutput
                && IsLow(where.Inputs[2]!) && IsForAllHeads(where.Inputs[0]!) && IsForAllHeads(padding))
                return (where, padding);
        }

        return null;
    }

    private static bool IsLow(Value value) =>
        value.Constant is { Type: ElementType.Float, Count: 1 } number && number.ToFloat32()[0] <= Low;

    /// <summary>Whether a mask has no axis of heads, so that merging is worth it: [batch, 1, rows, columns].</summary>
    private static bool IsForAllHeads(Value mask) =>
        mask.Shape is { } shape && (shape.Rank < 3 || shape[shape.Rank - 3].Value == 1);
}
