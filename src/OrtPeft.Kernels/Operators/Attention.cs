using OrtPeft.Autodiff;
using OrtPeft.Kernels.HeadWise;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// Attention, O = P·V with P = softmax(S + mask) and S = scale·Q·Kᵀ, head by head; with a <c>softcap</c> c,
/// S = c·tanh(scale·Q·Kᵀ/c). Where keys and values have fewer heads, g, than queries, each serves h/g of those one after
/// the other (grouped-query attention). What a block of queries does not see is not computed. Mask, seen, guard and sinks
/// are <see cref="MaskedSoftmax"/>'s.
/// </summary>
/// <remarks>
/// P is nowhere in memory. The gradient computes it again from each query's largest score and the sum of exponentials,
/// P = exp(S + mask − max)/sum: their one logarithm, log-sum-exp, would be lost in rounding where a mask's lowest number
/// hides all keys. With a guard, max and sum of such a query are 0 and ∞.
/// </remarks>
/// <seealso href="https://arxiv.org/abs/1706.03762">Vaswani et al., equation 1.</seealso>
/// <seealso href="https://arxiv.org/abs/2307.08691">Dao, FlashAttention-2.</seealso>
public static class Attention
{
    private const string Operands = "Q~[b, h, q, d], K~[b, g, k, d], V~[b, g, k, d]";
    private const string OperandsInRows = "Q~[b, q, h, d], K~[b, k, g, d], V~[b, k, g, d]";
    private const string Statistics = "max[b, h, q], sum[b, h, q]";
    private const string Probabilities = "probabilities";

    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "Attention",
        Signature = OpSignature.Parse(
            $"{Operands}, scale[], mask[**], seen?[**], guard?[], softcap?[], sinks?[h] → O[b, h, q, d], {Statistics}"),
        Raise = AttentionForm.Raise,
        Gradient = Differentiate,
        Lower = LowerForward,
        Run = static call => RunForward(call, inRows: false),
    };

    /// <summary>dV = Pᵀ·dO, dS = P∘(dP − D)∘seen with dP = dO·Vᵀ and D = dO·O, which is Σ dP∘P; dQ = scale·dS·K,
    /// dK = scale·dSᵀ·Q; with a softcap, dS∘(1 − (S/c)²) in the place of dS.</summary>
    public static FusedOp Backward { get; } = new()
    {
        Name = "AttentionGrad",
        Signature = OpSignature.Parse(
            $"dO[b, h, q, d], {Operands}, scale[], O~[b, h, q, d], {Statistics}, mask[**], seen?[**], softcap?[] "
            + "→ dQ[b, h, q, d], dK[b, g, k, d], dV[b, g, k, d]"),
        Lower = LowerBackward,
        Run = static call => RunBackward(call, inRows: false),
    };

    /// <summary><see cref="Forward"/> of heads that lie side by side in each position's row, as linear layers read and
    /// write them.</summary>
    public static FusedOp ForwardInRows { get; } = new()
    {
        Name = "AttentionInRows",
        Signature = OpSignature.Parse(
            $"{OperandsInRows}, scale[], mask[**], seen?[**], guard?[], softcap?[], sinks?[h] → O[b, q, h, d], {Statistics}"),
        Run = static call => RunForward(call, inRows: true),
    };

    /// <summary>Its gradient, likewise.</summary>
    public static FusedOp BackwardInRows { get; } = new()
    {
        Name = "AttentionInRowsGrad",
        Signature = OpSignature.Parse(
            $"dO[b, q, h, d], {OperandsInRows}, scale[], O~[b, q, h, d], {Statistics}, mask[**], seen?[**], softcap?[] "
            + "→ dQ[b, q, h, d], dK[b, k, g, d], dV[b, k, g, d]"),
        Run = static call => RunBackward(call, inRows: true),
    };

    private static IReadOnlyList<Value?> Differentiate(RuleContext c)
    {
        var (o, max, sum) = (c.Node.Outputs[0], c.Node.Outputs[1], c.Node.Outputs[2]);
        return c.PadToInputs([.. Backward.Apply(
            c.G,
            [c.DY, c.X(0), c.X(1), c.X(2), c.X(3), o, max, sum, c.X(4), c.Node.Input(5), c.Node.Input(7)])]);
    }

    private static IReadOnlyList<Value?> LowerForward(LoweringContext c)
    {
        var (g, mask, guard, sinks) = (c.G, c.X(4), c.Node.Input(6), c.Node.Input(8));
        var scores = Scores(c, c.X(0), c.X(1), c.X(3), c.Node.Input(7));
        var p = MaskedSoftmax.Forward.Apply(g, [scores, mask, c.Node.Input(5), guard, sinks])[0];
        var (max, sum) = StatisticsOf(scores + mask, sinks is null ? null : g.Unsqueeze(sinks, 1));
        if (guard is not null)
        {
            var isBlind = g.Op("IsNaN", sum);
            max = g.Term(g.Where(isBlind, guard, max));
            sum = g.Term(g.Where(isBlind, g.ScalarLike(sum, double.PositiveInfinity), sum));
        }

        // The way back takes P from here, and then nothing needs the statistics.
        c.Shared<Value>(Probabilities, max, sum, () => p);
        return [g.MatMul(p, Spread(c, c.X(2), c.X(0))), max, sum];
    }

    private static IReadOnlyList<Value?> LowerBackward(LoweringContext c)
    {
        var (g, dO, q, scale, cap) = (c.G, c.X(0), c.X(1), c.X(4), c.Node.Input(10));
        var (k, v) = (Spread(c, c.X(2), q), Spread(c, c.X(3), q));
        var p = c.Shared<Value>(Probabilities, c.X(6), c.X(7), () =>
        {
            var shifted = Scores(c, q, c.X(2), scale, cap) + c.X(8) - g.Term(g.Unsqueeze(c.X(6), 3));
            return Exp(shifted) / g.Term(g.Unsqueeze(c.X(7), 3));
        });
        var dS = g.Term(MaskedSoftmax.Backward.Apply(g, [g.MatMul(dO, Turned(g, v)), p, c.Node.Input(9)])[0]);
        if (cap is not null)
        {
            var t = Capped(c, q, c.X(2), scale, cap);
            dS *= 1 - t * t;
        }

        var dK = g.MatMul(Turned(g, dS), Scaled(g, q, scale));
        var dV = g.MatMul(Turned(g, p), dO);
        return [Scaled(g, g.MatMul(dS, k), scale), Gathered(g, dK, c.X(2)), Gathered(g, dV, c.X(3))];
    }

    /// <summary>Each query's largest score, and the sum of exponentials of scores less that, with those of sinks,
    /// [heads, 1].</summary>
    private static (Term Max, Term Sum) StatisticsOf(Term scores, Value? sinks)
    {
        var g = scores.Builder;
        var max = g.Op("ReduceMax", [scores, g.Int64(-1)], NodeAttribute.Of("keepdims", 0L));
        if (sinks is not null)
            max = g.Op("Max", max, sinks);
        var sum = Sum(Exp(scores - g.Term(g.Unsqueeze(max, 3))), [-1], keepDims: false);
        return (g.Term(max), sinks is null ? sum : sum + Exp(g.Term(sinks) - g.Term(max)));
    }

    /// <summary>scale·Q·Kᵀ, below a cap if there is one.</summary>
    private static Term Scores(LoweringContext c, Value q, Value k, Value scale, Value? cap) => cap is null
        ? c.G.Term(c.G.MatMul(Scaled(c.G, q, scale), Turned(c.G, Spread(c, k, q))))
        : c.G.Term(cap) * Capped(c, q, k, scale, cap);

    /// <summary>tanh(scale·Q·Kᵀ/c), which the gradient needs again.</summary>
    private static Term Capped(LoweringContext c, Value q, Value k, Value scale, Value cap) =>
        c.Shared("softcap", q, k, () => Tanh(Scores(c, q, k, scale, null) / cap));

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

    private static unsafe void RunForward(KernelCall call, bool inRows)
    {
        var q = call.Dims(0);
        var plan = Plan(call, q: 0, scale: 3, inRows);
        plan.O = AttentionOperand.Of(call.Output(0, q), q, inRows);
        plan.IsGuarded = call.Has(6);
        plan.SoftCap = CapOf(call, 7);
        plan.Sinks = call.OptionalInput(8);
        AttentionRuns.Forward(call, plan, mask: 4);
    }

    private static unsafe void RunBackward(KernelCall call, bool inRows)
    {
        var (q, k) = (call.Dims(1), call.Dims(2));
        var plan = Plan(call, q: 1, scale: 4, inRows);
        plan.DO = AttentionOperand.Of(call.Input<float>(0), q, inRows);
        plan.O = AttentionOperand.Of(call.Input<float>(5), q, inRows);
        plan.DQ = AttentionOperand.Of(call.Output(0, q), q, inRows);
        plan.DK = AttentionOperand.Of(call.Output(1, k), k, inRows);
        plan.DV = AttentionOperand.Of(call.Output(2, k), k, inRows);
        plan.SoftCap = CapOf(call, 10);
        AttentionRuns.Backward(call, plan, max: 6);
    }

    private static unsafe float CapOf(KernelCall call, int input) => call.Has(input) ? *call.Input<float>(input) : 0;

    private static unsafe AttentionPlan Plan(KernelCall call, int q, int scale, bool inRows)
    {
        var (queries, keys) = (call.Dims(q), call.Dims(q + 1));
        var (heads, positions) = inRows ? (2, 1) : (1, 2);
        return new AttentionPlan
        {
            Queries = checked((int)queries[positions]),
            Keys = checked((int)keys[positions]),
            Width = checked((int)queries[3]),
            Batch = queries[0],
            Heads = queries[heads],
            Groups = GroupsOf(queries[heads], keys[heads]),
            Scale = *call.Input<float>(scale),
            Q = AttentionOperand.Of(call.Input<float>(q), queries, inRows),
            K = AttentionOperand.Of(call.Input<float>(q + 1), keys, inRows),
            V = AttentionOperand.Of(call.Input<float>(q + 2), keys, inRows),
        };
    }
}
