using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>Shares attention out in chunks: of queries forwards, of queries and keys backwards.</summary>
internal static unsafe class AttentionRuns
{
    /// <summary>Memory for the key ranges found in masks and factors; kept, since the next layer needs as much.</summary>
    [ThreadStatic]
    private static KeyRange[]? _keptOfMask, _keptOfFactors;

    /// <summary>Computes O, and what the way back needs of the scores.</summary>
    /// <param name="call">Whose threads compute.</param>
    /// <param name="plan">The operands.</param>
    /// <param name="mask">The input that is added to the scores.</param>
    public static void Forward(KernelCall call, AttentionPlan plan, int mask)
    {
        plan.Mask = ScoreMask.Of(call.Input<float>(mask), call.Dims(mask), Scores(in plan));
        plan.Mask.Look(call, 0, ref _keptOfMask);
        plan.Max = call.Output(1, [plan.Batch, plan.Heads, plan.Queries]);
        plan.Sum = call.Output(2, [plan.Batch, plan.Heads, plan.Queries]);
        call.Share(in plan, &AttentionForward.Run, plan.Batch * plan.Heads * plan.QueryChunks);
    }

    /// <summary>
    /// Computes the gradients. Those of a chunk of keys are sums over chunks of queries, and the other way round: where
    /// there are n chunks, all pairs take n phases, in each of which no two pairs write to the same place. So sums have
    /// one order, on however many threads.
    /// </summary>
    /// <param name="call">Whose threads compute.</param>
    /// <param name="plan">The operands.</param>
    /// <param name="max">The input with the largest scores; the sums, the mask and seen, which may be missing, are the
    /// next three.</param>
    public static void Backward(KernelCall call, AttentionPlan plan, int max)
    {
        var (scores, one) = (Scores(in plan), 1f);
        KernelShapes.RequireEqual([plan.Batch, plan.Heads, plan.Queries], call.Dims(max));
        KernelShapes.RequireEqual([plan.Batch, plan.Heads, plan.Queries], call.Dims(max + 1));
        plan.Max = call.Input<float>(max);
        plan.Sum = call.Input<float>(max + 1);
        plan.Mask = ScoreMask.Of(call.Input<float>(max + 2), call.Dims(max + 2), scores);
        plan.Mask.Look(call, 0, ref _keptOfMask);
        plan.Factors = call.Has(max + 3)
            ? ScoreMask.Of(call.Input<float>(max + 3), call.Dims(max + 3), scores)
            : ScoreMask.Of(&one, [], scores);
        plan.Factors.Look(call, 1, ref _keptOfFactors);
        for (; plan.Phase < plan.Chunks; plan.Phase++)
            call.Share(in plan, &AttentionBackward.Run, plan.Batch * plan.Groups * plan.Chunks);
    }

    /// <summary>[batch, heads, queries, keys].</summary>
    private static long[] Scores(in AttentionPlan plan) => [plan.Batch, plan.Heads, plan.Queries, plan.Keys];
}
