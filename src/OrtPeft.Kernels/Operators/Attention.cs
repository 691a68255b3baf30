using OrtPeft.Autodiff;
using OrtPeft.Kernels.HeadWise;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// Attention, O = P·V with P = softmax(S + mask) and S = scale·Q·Kᵀ, head by head; with a <c>softcap</c> c, S = c·tanh(scale·Q·Kᵀ/c). Where keys and values have fewer heads, g, than
/// queries, each serves h/g of those one after the other (grouped-query attention). What a block of queries does not see
/// is not computed. Mask, seen, guard and sinks are <see cref="MaskedSoftmax"/>'s.
/// </summary>
/// <seealso href="https://arxiv.org/abs/1706.03762">Vaswani et al., equation 1.</seealso>
public static class Attention
{
    private const string Operands = "Q[b, h, q, d], K[b, g, k, d], V[b, g, k, d]";

    /// <summary>The operator. P is [b, h, q, k], or the kernels' own order where they run
    /// (<see cref="AttentionPlan.P"/>).</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "Attention",
        Signature = OpSignature.Parse($"{Operands}, scale[], mask[**], seen?[**], guard?[], softcap?[], sinks?[h] → O[b, h, q, d], P[**]"),
        Raise = AttentionForm.Raise,
        Gradient = Differentiate,
        Lower = LowerForward,
        Run = RunForward,
    };

    /// <summary>dV = Pᵀ·dO, dS = P∘(dP − Σ dP∘P)∘seen with dP = dO·Vᵀ, dQ = scale·dS·K, dK = scale·dSᵀ·Q; with a softcap,
    /// dS∘(1 − (S/c)²) in the place of dS.</summary>
    public static FusedOp Backward { get; } = new()
    {
        Name = "AttentionGrad",
        Signature = OpSignature.Parse(
            $"dO[b, h, q, d], {Operands}, scale[], P[**], mask[**], seen?[**], softcap?[] "
            + "→ dQ[b, h, q, d], dK[b, g, k, d], dV[b, g, k, d]"),
        Lower = LowerBackward,
        Run = RunBackward,
    };

    private static IReadOnlyList<Value?> Differentiate(RuleContext c) => c.PadToInputs([.. Backward.Apply(
        c.G, [c.DY, c.X(0), c.X(1), c.X(2), c.X(3), c.Node.Outputs[1], c.X(4), c.Node.Input(5), c.Node.Input(7)])]);

    private static IReadOnlyList<Value?> LowerForward(LoweringContext c)
    {
        var (keys, values) = (Spread(c, c.X(1), c.X(0)), Spread(c, c.X(2), c.X(0)));
        var scores = c.G.Term(c.G.MatMul(Scaled(c.G, c.X(0), c.X(3)), Turned(c.G, keys)));
        if (c.Node.Input(7) is { } cap)
            scores = c.G.Term(cap) * Capped(c, c.X(0), c.X(1), () => scores / cap);
        var p = MaskedSoftmax.Forward.Apply(c.G, [scores, c.X(4), c.Node.Input(5), c.Node.Input(6), c.Node.Input(8)])[0];
        return [c.G.MatMul(p, values), p];
    }

    private static IReadOnlyList<Value?> LowerBackward(LoweringContext c)
    {
        var (g, dO, q, scale, p) = (c.G, c.X(0), c.X(1), c.X(4), c.X(5));
        var (k, v) = (Spread(c, c.X(2), q), Spread(c, c.X(3), q));
        var dS = g.Term(MaskedSoftmax.Backward.Apply(g, [g.MatMul(dO, Turned(g, v)), p, c.Node.Input(7)])[0]);
        if (c.Node.Input(8) is { } cap)
        {
            var t = Capped(c, q, c.X(2), () => g.Term(g.MatMul(Scaled(g, q, scale), Turned(g, k))) / cap);
            dS *= 1 - t * t;
        }

        var dK = g.MatMul(Turned(g, dS), Scaled(g, q, scale));
        var dV = g.MatMul(Turned(g, p), dO);
        return [Scaled(g, g.MatMul(dS, k), scale), Gathered(g, dK, c.X(2)), Gathered(g, dV, c.X(3))];
    }

    /// <summary>tanh(scale·Q·Kᵀ/c), which the gradient needs again.</summary>
    private static Term Capped(LoweringContext c, Value q, Value k, Func<Term> scores) =>
        c.Shared("softcap", q, k, () => Tanh(scores()));

    /// <summary>Each head of keys or values repeated for the heads of queries that it serves.</summary>
    private static Value Spread(LoweringContext c, Value x, Value q)
    {
        var (heads, groups) = (HeadsOf(q), HeadsOf(x));
        return heads == groups ? x : c.Shared("spread", x, null, () =>
        {
            var repeated = c.G.Expand(c.G.Unsqueeze(x, 2), c.G.Int64(1, 1, heads / groups, 1, 1));
            return c.G.Reshape(repeated, 0, heads, -1, x.Shape![3].Value!.Value);
        });
    }

    /// <summary>The sum of the gradients of all that a head was repeated for.</summary>
    private static Value Gathered(GraphBuilder g, Value gradient, Value x)
    {
        var (heads, groups) = (HeadsOf(gradient), HeadsOf(x));
        if (heads == groups)
            return gradient;
        var apart = g.Reshape(gradient, 0, groups, heads / groups, -1, x.Shape![3].Value!.Value);
        return g.ReduceSum(apart, [2], keepDims: false);
    }

    private static long HeadsOf(Value x) => x.Shape![1].Value!.Value;

    private static long GroupsOf(long heads, long groups) => groups == heads || (groups > 0 && heads % groups == 0)
        ? groups
        : throw new ArgumentException($"{heads} heads of queries do not share {groups} heads of keys evenly.");

    private static Value Turned(GraphBuilder g, Value x) => g.Transpose(x, 0, 1, 3, 2);

    private static Value Scaled(GraphBuilder g, Value x, Value scale) => IsOne(scale) ? x : g.Term(x) * scale;

    private static bool IsOne(Value scale) => scale.Constant is { Count: 1 } number && number.ToFloat32()[0] == 1;

    private static unsafe void RunForward(KernelCall call)
    {
        var (q, k) = (call.Dims(0), call.Dims(1));
        var plan = Plan(call, q: 0, scale: 3);
        plan.O = AttentionOperand.OfHeads(call.Output(0, q), q);
        plan.IsGuarded = call.Has(6);
        plan.SoftCap = CapOf(call, 7);
        plan.Sinks = call.OptionalInput(8);
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
        plan.SoftCap = CapOf(call, 8);
        AttentionRuns.Backward(call, plan, [q[0], q[1], q[2], k[2]], p: 5);
    }

    private static unsafe float CapOf(KernelCall call, int input) => call.Has(input) ? *call.Input<float>(input) : 0;

    private static unsafe AttentionPlan Plan(KernelCall call, int q, int scale)
    {
        var (queries, keys) = (call.Dims(q), call.Dims(q + 1));
        return new AttentionPlan
        {
            Queries = checked((int)queries[2]),
            Keys = checked((int)keys[2]),
            Width = checked((int)queries[3]),
            Heads = queries[1],
            Groups = GroupsOf(queries[1], keys[1]),
            Scale = *call.Input<float>(scale),
            Q = AttentionOperand.OfHeads(call.Input<float>(q), queries),
            K = AttentionOperand.OfHeads(call.Input<float>(q + 1), keys),
            V = AttentionOperand.OfHeads(call.Input<float>(q + 2), keys),
        };
    }
}
