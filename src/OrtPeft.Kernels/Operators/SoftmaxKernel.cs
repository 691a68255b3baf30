using System.Numerics.Tensors;
using OrtPeft.Kernels.Attention;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.Operators;

/// <summary>Attention's probabilities from its scores and mask, and their gradient, a head at a time.</summary>
internal static unsafe class SoftmaxKernel
{
    /// <summary>
    /// Scores [batch, heads, queries, keys] and a mask that is added, each axis full or 1 →
    /// probabilities [batch, heads, queries, keys].
    /// </summary>
    public static void Forward(KernelCall call)
    {
        var dims = call.Dims(0);
        var mask = ScoreMask.Of(call.Input<float>(1), call.Dims(1), dims);
        mask.CountSeen();
        Share(call, dims, call.Work(&ForwardHead, dims), &mask);
    }

    /// <summary>
    /// dP and P [batch, heads, queries, keys] → P∘(dP − Σ dP∘P), with a third input times a mask, each axis full or 1.
    /// </summary>
    public static void Backward(KernelCall call)
    {
        var dims = call.Dims(0);
        KernelShapes.RequireEqual(dims, call.Dims(1));
        var one = 1f;
        var mask = call.InputCount > 2
            ? ScoreMask.Of(call.Input<float>(2), call.Dims(2), dims)
            : ScoreMask.Of(&one, [], dims);
        Share(call, dims, call.Work(&BackwardHead, dims), &mask);
    }

    /// <summary>A piece is one head of one row of the batch.</summary>
    private static void Share(KernelCall call, long[] scores, KernelWork work, ScoreMask* mask)
    {
        work.Mask = mask;
        work.Queries = scores[2];
        call.Share(work, scores[0] * scores[1]);
    }

    private static void ForwardHead(in KernelWork work, long piece)
    {
        ref readonly var mask = ref *work.Mask;
        var n = mask.Keys;
        for (var query = 0L; query < work.Queries; query++)
        {
            var place = ((piece * work.Queries) + query) * n;
            var ofMask = mask.RowOf(piece, query);
            var seen = mask.Seen(ofMask);
            var p = work.Y + place;
            var max = VectorLoops.AddMax(work.A + place, mask.Row(ofMask), mask.IsSameForAllKeys, p, seen);
            var row = new Span<float>(p, n);
            TensorPrimitives.Multiply(row[..seen], 1 / VectorLoops.ExpSum(p, max, p, seen), row);
            row[seen..].Clear();
        }
    }

    private static void BackwardHead(in KernelWork work, long piece)
    {
        ref readonly var mask = ref *work.Mask;
        var n = mask.Keys;
        for (var query = 0L; query < work.Queries; query++)
        {
            var place = ((piece * work.Queries) + query) * n;
            var dS = new Span<float>(work.Y + place, n);
            if (work.Y != work.A)
                new ReadOnlySpan<float>(work.A + place, n).CopyTo(dS);
            var p = work.B + place;
            var shift = TensorPrimitives.Dot(dS, new ReadOnlySpan<float>(p, n));
            var factors = mask.Row(mask.RowOf(piece, query));
            VectorLoops.ShiftMultiply(work.Y + place, shift, p, factors, mask.IsSameForAllKeys, n);
        }
    }
}
