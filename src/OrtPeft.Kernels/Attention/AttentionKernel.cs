using OrtPeft.Kernels.Native;
using OrtPeft.Kernels.Operators;

namespace OrtPeft.Kernels.Attention;

/// <summary>
/// Attention, softmax(Q·Kᵀ + mask)·V, and its gradient, head by head: what a block of queries does not see is not
/// computed. Probabilities go from the one to the other in an order of their own (<see cref="AttentionPlan.P"/>).
/// </summary>
internal static unsafe class AttentionKernel
{
    /// <summary>
    /// Q [batch, heads, queries, d], K and V [batch, heads, keys, d], a mask that is added, each axis of
    /// [batch, heads, queries, keys] full or 1 → O [batch, heads, queries, d] and P.
    /// </summary>
    public static void Forward(KernelCall call)
    {
        var (q, k) = (call.Dims(0), call.Dims(1));
        var plan = OfHeads(call, q: 0);
        plan.O = AttentionOperand.OfHeads(call.Output(0, q), q);
        Forward(call, plan, [q[0], q[1], q[2], k[2]], mask: 3);
    }

    /// <summary>
    /// dO [batch, heads, queries, d], Q, K, V, P, the mask, and what dS is multiplied with, each axis full or 1 →
    /// dQ, dK, dV.
    /// </summary>
    public static void Backward(KernelCall call)
    {
        var (q, k) = (call.Dims(1), call.Dims(2));
        var plan = OfHeads(call, q: 1);
        KernelShapes.RequireEqual(q, call.Dims(0));
        plan.O = AttentionOperand.OfHeads(call.Input<float>(0), q);
        plan.DQ = AttentionOperand.OfHeads(call.Output(0, q), q);
        plan.DK = AttentionOperand.OfHeads(call.Output(1, k), k);
        plan.DV = AttentionOperand.OfHeads(call.Output(2, k), k);
        Backward(call, plan, [q[0], q[1], q[2], k[2]], p: 4);
    }

    /// <summary>
    /// X [batch, positions, 3·heads·d], heads [] int64, what queries are multiplied with [], and a mask that is added →
    /// O [batch, positions, heads·d] and P.
    /// </summary>
    public static void ForwardOfRows(KernelCall call)
    {
        var dims = call.Dims(0);
        var plan = OfRows(call, x: 0);
        dims[2] = plan.Heads * plan.Width;
        plan.O = AttentionOperand.OfRows(call.Output(0, dims), plan.Queries, plan.Heads, plan.Width, parts: 1, part: 0);
        Forward(call, plan, [dims[0], plan.Heads, dims[1], dims[1]], mask: 3);
    }

    /// <summary>
    /// dO [batch, positions, heads·d], X, heads, what queries are multiplied with, P, the mask, and what dS is
    /// multiplied with → dX.
    /// </summary>
    public static void BackwardOfRows(KernelCall call)
    {
        var dims = call.Dims(1);
        var plan = OfRows(call, x: 1);
        KernelShapes.RequireEqual([dims[0], dims[1], plan.Heads * plan.Width], call.Dims(0));
        plan.O = AttentionOperand.OfRows(
            call.Input<float>(0), plan.Queries, plan.Heads, plan.Width, parts: 1, part: 0);
        (plan.DQ, plan.DK, plan.DV) = Parts(call.Output(0, dims), in plan);
        Backward(call, plan, [dims[0], plan.Heads, dims[1], dims[1]], p: 4);
    }

    private static AttentionPlan OfHeads(KernelCall call, int q)
    {
        var (queries, keys) = (call.Dims(q), call.Dims(q + 1));
        if (queries.Length != 4)
            throw new ArgumentException($"the queries have {queries.Length} axes, not 4.");
        KernelShapes.RequireEqual(keys, call.Dims(q + 2));
        KernelShapes.RequireEqual([queries[0], queries[1], keys.Length == 4 ? keys[2] : 0, queries[3]], keys);
        return new AttentionPlan
        {
            Queries = checked((int)queries[2]),
            Keys = checked((int)keys[2]),
            Width = checked((int)queries[3]),
            Heads = queries[1],
            Scale = 1,
            Q = AttentionOperand.OfHeads(call.Input<float>(q), queries),
            K = AttentionOperand.OfHeads(call.Input<float>(q + 1), keys),
            V = AttentionOperand.OfHeads(call.Input<float>(q + 2), keys),
        };
    }

    private static AttentionPlan OfRows(KernelCall call, int x)
    {
        var (dims, heads) = (call.Dims(x), *call.Input<long>(x + 1));
        var plan = new AttentionPlan { Heads = heads, Scale = *call.Input<float>(x + 2) };
        plan.Width = HeadsKernel.WidthOf(dims, heads);
        plan.Queries = plan.Keys = checked((int)dims[1]);
        (plan.Q, plan.K, plan.V) = Parts(call.Input<float>(x), in plan);
        return plan;
    }

    private static (AttentionOperand Q, AttentionOperand K, AttentionOperand V) Parts(
        float* x, in AttentionPlan plan)
    {
        var q = AttentionOperand.OfRows(x, plan.Queries, plan.Heads, plan.Width, HeadsKernel.Parts, 0);
        var k = AttentionOperand.OfRows(x, plan.Queries, plan.Heads, plan.Width, HeadsKernel.Parts, 1);
        return (q, k, AttentionOperand.OfRows(x, plan.Queries, plan.Heads, plan.Width, HeadsKernel.Parts, 2));
    }

    private static void Forward(KernelCall call, AttentionPlan plan, long[] scores, int mask)
    {
        var pieces = scores[0] * scores[1];
        plan.Mask = ScoreMask.Of(call.Input<float>(mask), call.Dims(mask), scores);
        plan.CountSeen();
        plan.Mask.CountPlain(0);
        plan.P = call.Output(1, [scores[0], scores[1], plan.NumbersOfHead]);
        call.Share(new KernelWork { Body = &AttentionForward.Run, Attention = &plan }, pieces);
    }

    private static void Backward(KernelCall call, AttentionPlan plan, long[] scores, int p)
    {
        var pieces = scores[0] * scores[1];
        plan.Mask = ScoreMask.Of(call.Input<float>(p + 1), call.Dims(p + 1), scores);
        plan.CountSeen();
        KernelShapes.RequireEqual([scores[0], scores[1], plan.NumbersOfHead], call.Dims(p));
        plan.P = call.Input<float>(p);
        plan.Factors = ScoreMask.Of(call.Input<float>(p + 2), call.Dims(p + 2), scores);
        plan.Factors.CountPlain(1);
        call.Share(new KernelWork { Body = &AttentionBackward.Run, Attention = &plan }, pieces);
    }
}
