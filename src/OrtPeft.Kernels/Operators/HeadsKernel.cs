using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// Attention's queries, keys and values, which one linear layer makes, taken apart and into heads, and the way back.
/// </summary>
internal static unsafe class HeadsKernel
{
    /// <summary>Queries, keys and values.</summary>
    public const int Parts = 3;

    /// <summary>d, of [batch, positions, 3·heads·d].</summary>
    public static int WidthOf(long[] dims, long heads) =>
        dims.Length == 3 && heads > 0 && dims[2] % (Parts * heads) == 0
            ? checked((int)(dims[2] / (Parts * heads)))
            : throw new ArgumentException(
                $"[{string.Join(", ", dims)}] is not three times {heads} heads along the last of three axes.");

    /// <summary>X [batch, positions, 3·heads·d], heads [] int64 → 3 times [batch, heads, positions, d].</summary>
    public static void Split(KernelCall call)
    {
        var dims = call.Dims(0);
        var heads = *call.Input<long>(1);
        var width = WidthOf(dims, heads);
        long[] part = [dims[0], heads, dims[1], width];
        var work = new KernelWork { Body = &SplitPosition, A = call.Input<float>(0), Heads = heads, Queries = dims[1] };
        work.Columns = width;
        work.X = call.Output(0, part);
        work.Y = call.Output(1, part);
        work.Z = call.Output(2, part);
        call.Share(work, dims[0] * dims[1]);
    }

    /// <summary>3 times [batch, heads, positions, d] → Y [batch, positions, 3·heads·d].</summary>
    public static void Merge(KernelCall call)
    {
        var dims = call.Dims(0);
        if (dims.Length != 4)
            throw new ArgumentException($"the first input has {dims.Length} axes, not 4.");
        KernelShapes.RequireEqual(dims, call.Dims(1));
        KernelShapes.RequireEqual(dims, call.Dims(2));
        var work = new KernelWork { Body = &MergePosition, A = call.Input<float>(0), B = call.Input<float>(1) };
        work.C = call.Input<float>(2);
        (work.Heads, work.Queries, work.Columns) = (dims[1], dims[2], checked((int)dims[3]));
        work.Y = call.Output(0, [dims[0], dims[2], Parts * dims[1] * dims[3]]);
        call.Share(work, dims[0] * dims[2]);
    }

    private static void SplitPosition(in KernelWork work, long piece)
    {
        var from = work.A + (piece * Parts * work.Heads * work.Columns);
        from = Scatter(in work, piece, from, work.X);
        from = Scatter(in work, piece, from, work.Y);
        Scatter(in work, piece, from, work.Z);
    }

    private static void MergePosition(in KernelWork work, long piece)
    {
        var to = work.Y + (piece * Parts * work.Heads * work.Columns);
        to = Collect(in work, piece, work.A, to);
        to = Collect(in work, piece, work.B, to);
        Collect(in work, piece, work.C, to);
    }

    /// <summary>One position's heads from a row to their places; returns the row's next element.</summary>
    private static float* Scatter(in KernelWork work, long piece, float* row, float* heads)
    {
        var (place, stride) = Place(in work, piece);
        for (var head = 0L; head < work.Heads; head++, row += work.Columns)
            new ReadOnlySpan<float>(row, work.Columns)
                .CopyTo(new Span<float>(heads + place + (head * stride), work.Columns));
        return row;
    }

    /// <summary>The way back.</summary>
    private static float* Collect(in KernelWork work, long piece, float* heads, float* row)
    {
        var (place, stride) = Place(in work, piece);
        for (var head = 0L; head < work.Heads; head++, row += work.Columns)
            new ReadOnlySpan<float>(heads + place + (head * stride), work.Columns)
                .CopyTo(new Span<float>(row, work.Columns));
        return row;
    }

    /// <summary>Where a position of [batch, heads, positions, d] begins, and how far its heads are apart.</summary>
    private static (long Place, long Stride) Place(in KernelWork work, long piece)
    {
        var (batch, position) = Math.DivRem(piece, work.Queries);
        var stride = work.Queries * work.Columns;
        return ((batch * work.Heads * stride) + (position * work.Columns), stride);
    }
}
