using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>
/// Attention's two products and the masked softmax between them as one node, and the four products and softmax's
/// gradient of the way back as another. Where dropout or a prefix stands in between, the nodes stay.
/// </summary>
internal static class AttentionKernels
{
    public static void Run(GraphBuilder g)
    {
        g.Graph.RemoveDeadCode();
        foreach (var softmax in g.Graph.Nodes.Where(static n => Fused.Is(n, FusedOps.MaskedSoftmax)).ToArray())
        {
            if (Forward(softmax) is { } forward && Backward(forward) is { } backward)
                Replace(g, softmax, forward, backward);
        }

        SelfAttentionKernels.Run(g);
    }

    private static void Replace(GraphBuilder g, Node softmax, Products forward, Gradients backward)
    {
        var (q, k, v, p, mask) = (forward.Q, forward.K, forward.V, softmax.Output, softmax.Inputs[1]);
        var results = Fused.Ops(
            g, forward.O, FusedOps.Attention, [q, k, v, mask], forward.O.Output, p);
        // The kernels have an order of their own for it.
        results[1].Shape = null;
        var factors = backward.OfSoftmax.Input(2) ?? g.Scalar(ElementType.Float, 1);
        var gradients = Fused.Ops(
            g, backward.DQ, FusedOps.AttentionGrad, [backward.DO, q, k, v, results[1], mask, factors], q, k, v);
        Replacement.Put(g, backward.DQ, gradients[0]);
        Replacement.Put(g, backward.DK, gradients[1]);
        Replacement.Put(g, backward.DV, gradients[2]);
        Replacement.Put(g, forward.O, results[0]);
    }

    /// <summary>softmax(Q·Kᵀ + mask)·V.</summary>
    private static Products? Forward(Node softmax)
    {
        var p = softmax.Output;
        return Fused.Maker(softmax.Inputs[0], "MatMul") is { } scores && scores.Output.Uses.Count == 1
            && Turned(scores.Inputs[1]!) is { } k && IsHeads(scores.Inputs[0]!) && IsHeads(k)
            && Fused.Readers(p, "MatMul").FirstOrDefault(n => n.Inputs[0] == p) is { } o && IsHeads(o.Inputs[1]!)
            ? new Products(p, scores.Inputs[0]!, scores.Inputs[1]!, k, o.Inputs[1]!, o)
            : null;
    }

    /// <summary>The nodes that lead from dO to dQ, dK and dV, if nothing else reads what is between.</summary>
    private static Gradients? Backward(Products forward)
    {
        var p = forward.P;
        if (p.Uses.Select(static u => u.Node).FirstOrDefault(IsSoftmaxGrad) is not { } softmax
            || softmax.Inputs[1] != p || Fused.Maker(softmax.Inputs[0], "MatMul") is not { } dP
            || Turned(dP.Inputs[1]!) != forward.V || dP.Output.Uses.Count != 1)
            return null;
        var (dO, dS) = (dP.Inputs[0]!, softmax.Output);
        var dV = TurnedReaders(p).SelectMany(static t => Fused.Readers(t, "MatMul"))
            .FirstOrDefault(n => n.Inputs[1] == dO);
        var dQ = Fused.Readers(dS, "MatMul").FirstOrDefault(n => n.Inputs[0] == dS && IsK(n.Inputs[1]!, forward));
        var dTurnedK = Fused.Readers(dS, "MatMul").FirstOrDefault(
            n => n.Inputs[1] == dS && Turned(n.Inputs[0]!) == forward.Q);
        var dK = dTurnedK is null ? null : Fused.Readers(dTurnedK.Output, "Transpose").FirstOrDefault(IsTurn);
        return dV is not null && dQ is not null && dK is not null && dTurnedK!.Output.Uses.Count == 1
            && dS is { IsGraphOutput: false, Uses.Count: 2 } && !p.IsGraphOutput && p.Uses.Count == 3
            ? new Gradients(softmax, dO, dQ, dK, dV)
            : null;
    }

    private static bool IsK(Value value, Products forward) =>
        value == forward.K || Turned(value) == forward.TurnedK;

    /// <summary>What a value is the exchange of the last two axes of.</summary>
    private static Value? Turned(Value value) =>
        value.Producer is { } node && IsTurn(node) ? node.Inputs[0] : null;

    private static IEnumerable<Value> TurnedReaders(Value value) =>
        Fused.Readers(value, "Transpose").Where(IsTurn).Select(static n => n.Output);

    private static bool IsTurn(Node node) =>
        node.Is("Transpose") && node.Attributes.Ints("perm") is [0, 1, 3, 2];

    private static bool IsHeads(Value value) => value is { Type: ElementType.Float, Shape.Rank: 4 };

    private static bool IsSoftmaxGrad(Node node) =>
        Fused.Is(node, FusedOps.SoftmaxGrad) || Fused.Is(node, FusedOps.MaskedSoftmaxGrad);

    private sealed record Products(Value P, Value Q, Value TurnedK, Value K, Value V, Node O);

    private sealed record Gradients(Node OfSoftmax, Value DO, Node DQ, Node DK, Node DV);
}
