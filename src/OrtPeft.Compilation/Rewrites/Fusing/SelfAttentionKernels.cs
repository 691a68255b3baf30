using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>
/// Attention that reads queries, keys and values where one linear layer has put them, and writes rows for the next, and
/// the same for the gradient: heads are not taken apart and put together.
/// </summary>
internal static class SelfAttentionKernels
{
    public static void Run(GraphBuilder g)
    {
        foreach (var attention in g.Graph.Nodes.Where(static n => Fused.Is(n, FusedOps.Attention)).ToArray())
        {
            if (Forward(attention) is { } forward && Backward(forward) is { } backward)
                Replace(g, forward, backward);
        }

        g.Graph.RemoveDeadCode();
    }

    private static void Replace(GraphBuilder g, Layer layer, Gradient gradient)
    {
        var (x, heads) = (layer.Split.Inputs[0], layer.Split.Inputs[1]);
        var results = Fused.Ops(
            g, layer.O, FusedOps.SelfAttention, [x, heads, layer.Scale, layer.Attention.Inputs[3]],
            layer.O.Output, layer.P);
        var dX = Fused.Op(
            g, gradient.Merge, FusedOps.SelfAttentionGrad, gradient.Merge.Output,
            gradient.DO, x, heads, layer.Scale, results[1], layer.Attention.Inputs[3], gradient.Attention.Inputs[6]);
        Replacement.Put(g, gradient.Merge, dX);
        Replacement.Put(g, layer.O, results[0]);
    }

    private static Layer? Forward(Node attention)
    {
        var (q, k, v) = (attention.Inputs[0]!, attention.Inputs[1], attention.Inputs[2]);
        return k?.Producer is { } split && Fused.Is(split, FusedOps.SplitHeads)
            && k == split.Outputs[1] && v == split.Outputs[2] && ScaleOf(q, split.Outputs[0]) is { } scale
            && Rows.Readers(attention.Output) is [var swap] && Fused.Is(swap, FusedOps.SwapAxes)
            && Rows.Readers(swap.Output) is [var o] && AreRows(o, swap.Output)
            ? new Layer(attention, split, scale, o)
            : null;
    }

    private static Gradient? Backward(Layer layer)
    {
        if (Rows.Readers(layer.P) is not [var attention] || !Fused.Is(attention, FusedOps.AttentionGrad)
            || attention.Inputs[0]!.Producer is not { } swap || !Fused.Is(swap, FusedOps.SwapAxes)
            || Fused.Maker(swap.Inputs[0], "Reshape")?.Inputs[0] is not { } dO
            || !Rows.AreOfOneShape(dO.Shape, layer.O.Output.Shape))
            return null;
        var (dQ, dK, dV) = (attention.Outputs[0], attention.Outputs[1], attention.Outputs[2]);
        return Rows.Readers(dK) is [var merge] && Fused.Is(merge, FusedOps.MergeHeads)
            && merge.Inputs[1] == dK && merge.Inputs[2] == dV && Rows.Readers(dV) is [_]
            && ScaleOf(merge.Inputs[0]!, dQ) is { } scale && Number(scale) == Number(layer.Scale)
            ? new Gradient(attention, dO, merge)
            : null;
    }

    /// <summary>The constant that makes one value from another.</summary>
    private static Value? ScaleOf(Value scaled, Value value) =>
        Fused.Maker(scaled, "Mul") is { } mul && Rows.Readers(value) is [_]
        && Fused.Other(mul, value) is { Constant: { Type: ElementType.Float, Count: 1 } } scale ? scale : null;

    private static float Number(Value scale) => scale.Constant!.ToFloat32()[0];

    /// <summary>[batch, positions, heads, d] as [batch, positions, heads·d].</summary>
    private static bool AreRows(Node reshape, Value heads) => reshape.Is("Reshape")
        && heads.Shape is { Rank: 4 } four && reshape.Output.Shape is { Rank: 3 } three
        && three[0].SurelyEquals(four[0]) && three[1].SurelyEquals(four[1])
        && four[2].Value * four[3].Value is { } width && three[2].Value == width;

    private sealed record Layer(Node Attention, Node Split, Value Scale, Node O)
    {
        public Value P => Attention.Outputs[1];
    }

    private sealed record Gradient(Node Attention, Value DO, Node Merge);
}
