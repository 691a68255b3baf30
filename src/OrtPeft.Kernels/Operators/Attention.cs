using OrtPeft.Autodiff;
using OrtPeft.Kernels.HeadWise;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// Attention, O = P·V with P = softmax(scale·Q·Kᵀ + mask), head by head. What a block of queries does not see is not
/// computed. Mask and seen are <see cref="MaskedSoftmax"/>'s.
/// </summary>
/// <seealso href="https://arxiv.org/abs/1706.03762">Vaswani et al., equation 1.</seealso>
public static class Attention
{
    private const string Operands = "Q[b, h, q, d], K[b, h, k, d], V[b, h, k, d]";

    /// <summary>The operator. P is [b, h, q, k], or the kernels' own order where they run
    /// (<see cref="AttentionPlan.P"/>).</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "Attention",
        Signature = OpSignature.Parse($"{Operands}, scale[], mask[**], seen?[**] → O[b, h, q, d], P[**]"),
        Raise = AttentionForm.Raise,
        Gradient = Differentiate,
        Lower = LowerForward,
        Run = RunForward,
    };

    /// <summary>dV = Pᵀ·dO, dS = P∘(dP − Σ dP∘P)∘seen with dP = dO·Vᵀ, dQ = scale·dS·K, dK = scale·dSᵀ·Q.</summary>
    public static FusedOp Backward { get; } = new()
    {
        Name = "AttentionGrad",
        Signature = OpSignature.Parse(
            $"dO[b, h, q, d], {Operands}, scale[], P[**], mask[**], seen?[**] "
            + "→ dQ[b, h, q, d], dK[b, h, k, d], dV[b, h, k, d]"),
        Lower = LowerBackward,
        Run = RunBackward,
    };

    private static IReadOnlyList<Value?> Differentiate(RuleContext c) => c.PadToInputs([.. Backward.Apply(
        c.G, [c.DY, c.X(0), c.X(1), c.X(2), c.X(3), c.Node.Outputs[1], c.X(4), c.Node.Input(5)])]);

    private static IReadOnlyList<Value?> LowerForward(LoweringContext c)
    {
        var scores = c.G.MatMul(Scaled(c.G, c.X(0), c.X(3)), Turned(c.G, c.X(1)));
        var p = MaskedSoftmax.Forward.Apply(c.G, [scores, c.X(4), c.Node.Input(5)])[0];
        return [c.G.MatMul(p, c.X(2)), p];
    }

    private static IReadOnlyList<Value?> LowerBackward(LoweringContext c)
    {
        var (g, dO, q, k, v, scale, p) = (c.G, c.X(0), c.X(1), c.X(2), c.X(3), c.X(4), c.X(5));
        var dS = MaskedSoftmax.Backward.Apply(g, [g.MatMul(dO, Turned(g, v)), p, c.Node.Input(7)])[0];
        var dK = g.MatMul(Turned(g, dS), Scaled(g, q, scale));
        return [Scaled(g, g.MatMul(dS, k), scale), dK, g.MatMul(Turned(g, p), dO)];
    }

    private static Value Turned(GraphBuilder g, Value x) => g.Transpose(x, 0, 1, 3, 2);

    private static Value Scaled(GraphBuilder g, Value x, Value scale) => IsOne(scale) ? x : g.Term(x) * scale;

    private static bool IsOne(Value scale) => scale.Constant is { Count: 1 } number && number.ToFloat32()[0] == 1;

    private static unsafe void RunForward(KernelCall call)
    {
        var (q, k) = (call.Dims(0), call.Dims(1));
        var plan = Plan(call, q: 0, scale: 3);
        plan.O = AttentionOperand.OfHeads(call.Output(0, q), q);
        AttentionRuns.Forward(call, plan, [q[0], q[1], q[2], k[2]], mask: 4);
    }

    private static unsafe void RunBackward(KernelCall call)
    {
        var (q, k) = (call.Dims(1), call.Dims(2));
        var plan = Plan(call, q: 1, scale: 4);
        plan.O = AttentionOperand.OfHeads(call.Input<float>(0), q);
        plan.DQ = AttentionOperand.OfHeads(call.Output(0, q), q);
        plan.DK = AttentionOperand.OfHeads(call.Output(1, k), k);
        plan.DV = AttentionOperand.OfHeads(call.Output(2, k), k);
        AttentionRuns.Backward(call, plan, [q[0], q[1], q[2], k[2]], p: 5);
    }

    private static unsafe AttentionPlan Plan(KernelCall call, int q, int scale)
    {
        var (queries, keys) = (call.Dims(q), call.Dims(q + 1));
        return new AttentionPlan
        {
            Queries = checked((int)queries[2]),
            Keys = checked((int)keys[2]),
            Width = checked((int)queries[3]),
            Heads = queries[1],
            Scale = *call.Input<float>(scale),
            Q = AttentionOperand.OfHeads(call.Input<float>(q), queries),
            K = AttentionOperand.OfHeads(call.Input<float>(q + 1), keys),
            V = AttentionOperand.OfHeads(call.Input<float>(q + 2), keys),
        };
    }
}
