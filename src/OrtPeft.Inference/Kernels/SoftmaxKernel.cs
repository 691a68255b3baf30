using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace OrtPeft.Inference.Kernels;

/// <summary>Attention's probabilities from its scores and mask, and their gradient, a head at a time.</summary>
internal static unsafe class SoftmaxKernel
{
    private const int Axes = 4;

    /// <summary>What a mask adds, at most, to the score of a key that is not to be seen.</summary>
    private const float Hidden = -1e30f;

    /// <summary>What <see cref="CountSeen"/> found; kept, since the next layer needs as much.</summary>
    [ThreadStatic]
    private static int[]? _seen;

    /// <summary>
    /// Scores [batch, heads, queries, keys] and a mask that is added, each axis full or 1 →
    /// probabilities [batch, heads, queries, keys].
    /// </summary>
    public static void Forward(KernelCall call)
    {
        var dims = call.Dims(0);
        var work = call.Work(&ForwardHead, dims);
        Broadcast(ref work, dims, call.Dims(1));
        CountSeen(ref work, call.Dims(1));
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
    public static void Broadcast(ref KernelWork work, long[] scores, long[] mask)
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

    /// <summary>A piece is one head of one row of the batch.</summary>
    private static void ForwardHead(in KernelWork work, long piece)
    {
        for (var query = 0L; query < work.Queries; query++)
        {
            var row = ((piece * work.Queries) + query) * work.Columns;
            Row(in work, piece, query, work.A + row, work.Y + row);
        }
    }

    /// <summary>A query's probabilities from its scores, which they may overwrite; 0 behind what it sees.</summary>
    public static void Row(in KernelWork work, long piece, long query, float* scores, float* p)
    {
        var n = work.Columns;
        var seen = Seen(in work, piece, query);
        var mask = work.B + Offset(in work, piece, query);
        var max = VectorLoops.AddMax(scores, mask, work.MaskColumns != n, p, seen);
        var row = new Span<float>(p, n);
        TensorPrimitives.Multiply(row[..seen], 1 / VectorLoops.ExpSum(p, max, p, seen), row);
        row[seen..].Clear();
    }

    /// <summary>How many keys a query's probabilities need scores of.</summary>
    public static int Seen(in KernelWork work, long piece, long query) =>
        work.MaskColumns == work.Columns && work.Columns > 0
            ? work.Seen[Offset(in work, piece, query) / work.MaskColumns]
            : work.Columns;

    /// <summary>Notes for each row of the mask how many keys it lets a query see: heads share rows.</summary>
    public static void CountSeen(ref KernelWork work, long[] mask)
    {
        var rows = work.MaskColumns == work.Columns && work.Columns > 0 ? mask.Count() / work.Columns : 0;
        work.Seen = KeptMemory.Of(ref _seen, rows);
        for (var row = 0L; row < rows; row++)
            work.Seen[row] = Seen(new ReadOnlySpan<float>(work.B + (row * work.Columns), work.Columns));
    }

    /// <summary>
    /// How many keys there are, to a vector, up to the last that the mask lets a query see; all where it lets it see
    /// none. Probabilities behind it are 0, so long as scores are far from <see cref="Hidden"/>.
    /// </summary>
    private static int Seen(ReadOnlySpan<float> mask)
    {
        var (seen, step) = (mask.Length, Vector512<float>.Count);
        var hidden = Vector512.Create(Hidden);
        while (seen >= step && Vector512.LessThanOrEqualAll(Vector512.Create(mask[(seen - step)..]), hidden))
            seen -= step;
        var seesNothing = seen < step && !mask[..seen].ContainsAnyExceptInRange(float.NegativeInfinity, Hidden);
        return seesNothing ? mask.Length : seen;
    }

    private static void BackwardHead(in KernelWork work, long piece)
    {
        var n = work.Columns;
        for (var query = 0L; query < work.Queries; query++)
        {
            var row = ((piece * work.Queries) + query) * n;
            if (work.Y != work.A)
                new ReadOnlySpan<float>(work.A + row, n).CopyTo(new Span<float>(work.Y + row, n));
            GradientRow(in work, piece, query, work.Y + row, work.B + row, n);
        }
    }

    /// <summary>A query's dP becomes dS, for its first keys.</summary>
    public static void GradientRow(in KernelWork work, long piece, long query, float* gradient, float* p, int keys)
    {
        var one = 1f;
        var mask = work.C == null ? &one : work.C + Offset(in work, piece, query);
        var isRow = work.C != null && work.MaskColumns == work.Columns;
        var shift = TensorPrimitives.Dot(new ReadOnlySpan<float>(gradient, keys), new ReadOnlySpan<float>(p, keys));
        VectorLoops.ShiftMultiply(gradient, shift, p, mask, !isRow, keys);
    }

    /// <summary>Where a query's row of the mask begins.</summary>
    private static long Offset(in KernelWork work, long piece, long query)
    {
        var (batch, head) = Math.DivRem(piece, work.Heads);
        return (batch * work.BatchStride) + (head * work.HeadStride) + (query * work.QueryStride);
    }
}
