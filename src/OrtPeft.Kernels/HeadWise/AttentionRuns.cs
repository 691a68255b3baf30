using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>Shares attention out, a head of a row of the batch in each piece: of queries forwards, of keys
/// backwards.</summary>
internal static unsafe class AttentionRuns
{
    /// <summary>Computes O and P.</summary>
    /// <param name="call">Whose threads compute.</param>
    /// <param name="plan">The operands.</param>
    /// <param name="scores">[batch, heads, queries, keys].</param>
    /// <param name="mask">The input that is added to them.</param>
    public static void Forward(KernelCall call, AttentionPlan plan, long[] scores, int mask)
    {
        plan.Mask = ScoreMask.Of(call.Input<float>(mask), call.Dims(mask), scores);
        plan.CountSeen();
        plan.Mask.CountPlain(0);
        plan.P = call.Output(1, [scores[0], scores[1], plan.NumbersOfHead]);
        call.Share(in plan, &AttentionForward.Run, scores[0] * scores[1]);
    }

    /// <summary>Computes the gradients.</summary>
    /// <param name="call">Whose threads compute.</param>
    /// <param name="plan">The operands.</param>
    /// <param name="scores">[batch, heads, queries, keys].</param>
    /// <param name="p">The input with P; the mask and seen, which may be missing, are the next two.</param>
    public static void Backward(KernelCall call, AttentionPlan plan, long[] scores, int p)
    {
        plan.Mask = ScoreMask.Of(call.Input<float>(p + 1), call.Dims(p + 1), scores);
        plan.CountSeen();
        KernelShapes.RequireEqual([scores[0], scores[1], plan.NumbersOfHead], call.Dims(p));
        plan.P = call.Input<float>(p);
        var one = 1f;
        plan.Factors = call.Has(p + 2)
            ? ScoreMask.Of(call.Input<float>(p + 2), call.Dims(p + 2), scores)
            : ScoreMask.Of(&one, [], scores);
        plan.Factors.CountPlain(1);
        call.Share(in plan, &AttentionBackward.Run, scores[0] * plan.Groups);
    }
}
