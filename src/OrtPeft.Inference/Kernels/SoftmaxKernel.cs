using System.Numerics;
using System.Numerics.Tensors;

namespace OrtPeft.Inference.Kernels;

/// <summary>Attention's probabilities from its scores and mask, and their gradient, a head at a time.</summary>
internal static unsafe class SoftmaxKernel
{
    private const int Axes = 4;

    /// <summary>What a mask adds, at most, to the score of a key that is not to be seen.</summary>
    private const float Hidden = -1e30f;

    /// <summary>
    /// Scores [batch, heads, queries, keys] and a mask that is added, each axis full or 1 →
    /// probabilities [batch, heads, queries, keys].
    /// </summary>
    public static void Forward(KernelCall call)
    {
        var dims = call.Dims(0);
        var work = call.Work(&ForwardHead, dims);
        Broadcast(ref work, dims, call.Dims(1));
        call.Share(work, dims[0] * dims[1]);
    }

    /// <summary>
    /// dP and P [batch, heads, queries, keys] → P∘(dP − Σ dP∘P), with a third input times a mask, each axis full or 1.
    /// </summary>
    public static void Backward(KernelCall call)
    {
        var dims = call.Dims(0);
        KernelShapes.RequireEqual(dims, call.Dims(1));
        var work = call.Work(&BackwardHead, dims);
        Broadcast(ref work, dims, call.InputCount > 2 ? call.Dims(2) : []);
        call.Share(work, dims[0] * dims[1]);
    }

    /// <summary>Strides of 0 repeat a mask along an axis of length 1 that the scores have longer.</summary>
    private static void Broadcast(ref KernelWork work, long[] scores, long[] mask)
    {
        if (scores.Length != Axes || mask.Length > Axes)
            throw new ArgumentException($"scores have {scores.Length} axes and their mask {mask.Length}, not 4.");
        long[] full = [.. Enumerable.Repeat(1L, Axes - mask.Length), .. mask];
        if (full.Zip(scores).Any(static pair => pair.First != pair.Second && pair.First != 1))
            throw new ArgumentException(
                $"a mask of [{string.Join(", ", mask)}] does not fit scores of [{string.Join(", ", scores)}].");
        work.Columns = checked((int)scores[3]);
        (work.Heads, work.Queries) = (scores[1], scores[2]);
        work.MaskColumns = checked((int)full[3]);
        work.QueryStride = full[2] == 1 ? 0 : full[3];
        work.HeadStride = full[1] == 1 ? 0 : full[2] * full[3];
        work.BatchStride = full[0] == 1 ? 0 : full[1] * full[2] * full[3];
    }

    private static float* MaskOf(in KernelWork work, float* mask, long piece)
    {
        var (batch, head) = Math.DivRem(piece, work.Heads);
        return mask + (batch * work.BatchStride) + (head * work.HeadStride);
    }

    /// <summary>A piece is one head of one row of the batch.</summary>
    private static void ForwardHead(in KernelWork work, long piece)
    {
        var n = work.Columns;
        var mask = MaskOf(in work, work.B, piece);
        for (var query = 0L; query < work.Queries; query++)
        {
            var row = ((piece * work.Queries) + query) * n;
            var masking = new ReadOnlySpan<float>(mask + (query * work.QueryStride), work.MaskColumns);
            var seen = masking.Length == n ? Seen(masking) : n;
            var p = new Span<float>(work.Y + row, n);
            var scores = new ReadOnlySpan<float>(work.A + row, seen);
            if (masking.Length == n)
                TensorPrimitives.Add(scores, masking[..seen], p);
            else
                TensorPrimitives.Add(scores, masking[0], p);
            var start = work.Y + row;
            var sum = VectorLoops.ExpSum(start, VectorLoops.Max(start, seen), start, seen);
            TensorPrimitives.Multiply(p[..seen], 1 / sum, p);
            p[seen..].Clear();
        }
    }

    /// <summary>
    /// How many keys there are, to a vector, up to the last that the mask lets a query see; all where it lets it see
    /// none. Probabilities behind it are 0, so long as scores are far from <see cref="Hidden"/>.
    /// </summary>
    private static int Seen(ReadOnlySpan<float> mask)
    {
        var (seen, step) = (mask.Length, Vector<float>.Count);
        var hidden = new Vector<float>(Hidden);
        while (seen >= step && Vector.LessThanOrEqualAll(new Vector<float>(mask[(seen - step)..]), hidden))
            seen -= step;
        return seen == 0 ? mask.Length : seen;
    }

    private static void BackwardHead(in KernelWork work, long piece)
    {
        var n = work.Columns;
        var mask = work.C == null ? null : MaskOf(in work, work.C, piece);
        for (var query = 0L; query < work.Queries; query++)
        {
            var row = ((piece * work.Queries) + query) * n;
            var dP = new ReadOnlySpan<float>(work.A + row, n);
            var p = new ReadOnlySpan<float>(work.B + row, n);
            var dS = new Span<float>(work.Y + row, n);
            TensorPrimitives.Subtract(dP, TensorPrimitives.Dot(dP, p), dS);
            TensorPrimitives.Multiply(dS, p, dS);
            if (mask == null)
                continue;
            var masking = new ReadOnlySpan<float>(mask + (query * work.QueryStride), work.MaskColumns);
            if (masking.Length == n)
                TensorPrimitives.Multiply(dS, masking, dS);
            else
                TensorPrimitives.Multiply(dS, masking[0], dS);
        }
    }
}
