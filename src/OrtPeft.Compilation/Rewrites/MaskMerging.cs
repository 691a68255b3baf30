using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>
/// Attention that puts a lowest number where the future is and then adds the padding mask,
/// <c>Where(causal, scores, low) + padding</c>, becomes <c>scores + mask</c> with
/// <c>mask = Where(causal, 0, low) + padding</c>: one pass over the scores instead of two. The gradient, which is 0
/// where the future is, is multiplied by a mask of ones and zeros, which ONNX Runtime does faster than <c>Where</c>.
/// Masks are made once for all layers.
/// </summary>
/// <remarks>The scores are the same bits: added to a number beyond 2¹⁰⁰, they vanish in rounding.</remarks>
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
            g.Before = add;
            g.Scope = "/mask";
            if (!masks.TryGetValue((causal, low, padding), out var mask))
                masks.Add((causal, low, padding), mask = g.Add(g.Where(causal, g.ScalarLike(low, 0), low), padding));
            add.SetInput(0, where.Inputs[1]!);
            add.SetInput(1, mask);
        }

        foreach (var (causal, low) in masks.Keys.Select(static k => (k.Causal, k.Low)).Distinct().ToArray())
            MultiplyGradients(g, causal, low.Type);
    }

    /// <summary>Puts products in the place of <c>Where(causal, gradient, 0)</c>.</summary>
    private static void MultiplyGradients(GraphBuilder g, Value causal, ElementType type)
    {
        Value? ones = null;
        foreach (var where in causal.Uses.Select(static u => u.Node).Where(IsGradient).ToArray())
        {
            g.Before = where;
            ones ??= g.Cast(causal, type);
            Replacement.Put(g, where, g.Mul(where.Inputs[1]!, ones));
        }
    }

    private static bool IsGradient(Node node) => node.Is("Where") && !node.Output.IsGraphOutput
        && node.Inputs[1]!.Constant is null
        && node.Inputs[2]!.Constant is { Type: ElementType.Float, Count: 1 } zero && zero.ToFloat32()[0] == 0;

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
