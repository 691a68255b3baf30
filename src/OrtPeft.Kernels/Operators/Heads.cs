using OrtPeft.Autodiff;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// Attention's queries, keys and values, which one linear layer makes, taken apart and into heads, and the way back.
/// Rows are [batch, positions, 3·heads·d].
/// </summary>
public static unsafe class Heads
{
    /// <summary>Queries, keys and values.</summary>
    internal const int Parts = 3;

    /// <summary>Rows and their number of heads → queries, keys and values.</summary>
    public static FusedOp Split { get; } = new()
    {
        Name = "SplitHeads",
        Signature = OpSignature.Parse(
            "X~[batch, positions, *], heads:int64[] "
            + "→ Q[batch, *, positions, *], K[batch, *, positions, *], V[batch, *, positions, *]"),
        Raise = HeadsForm.Raise,
        Gradient = Differentiate,
        Lower = static c => HeadsForm.Apart(c.G, c.X(0), c.X(1).Value.Constant!.ToInt64()[0]),
        Run = RunSplit,
        IsPass = true,
    };

    /// <summary>Queries, keys and values → rows.</summary>
    public static FusedOp Merge { get; } = new()
    {
        Name = "MergeHeads",
        Signature = OpSignature.Parse(
            "Q[batch, heads, positions, d], K[batch, heads, positions, d], V[batch, heads, positions, d] "
            + "→ Y[batch, positions, *]"),
        Lower = static c => [c.G.Concat(2, [.. c.Node.Inputs.Select(x => HeadsForm.Together(c.G, x!))])],
        Run = RunMerge,
    };

    private static IReadOnlyList<Value?> Differentiate(RuleContext c)
    {
        var parts = c.Node.Outputs.Select((o, i) => c.Upstream(i) ?? c.ZerosLike(o)).ToArray();
        var dX = Merge.Apply(c.G, parts)[0];
        dX.Shape = c.X().Shape;
        return c.PadToInputs(dX);
    }

    /// <summary>d, of [batch, positions, 3·heads·d].</summary>
    internal static int WidthOf(long[] dims, long heads) =>
        dims.Length == 3 && heads > 0 && dims[2] % (Parts * heads) == 0
            ? checked((int)(dims[2] / (Parts * heads)))
            : throw new ArgumentException(
                $"[{string.Join(", ", dims)}] is not three times {heads} heads along the last of three axes.");

    private static void RunSplit(KernelCall call)
    {
        var dims = call.Dims(0);
        var heads = *call.Input<long>(1);
        var d = WidthOf(dims, heads);
        long[] part = [dims[0], heads, dims[1], d];
        var work = new Work
        {
            Rows = call.Input<float>(0),
            Q = call.Output(0, part),
            K = call.Output(1, part),
            V = call.Output(2, part),
            Heads = heads,
            Positions = dims[1],
            D = d,
        };
        call.Share(in work, &SplitPosition, dims[0] * dims[1]);
    }

    private static void RunMerge(KernelCall call)
    {
        var dims = call.Dims(0);
        var work = new Work
        {
            Rows = call.Output(0, [dims[0], dims[2], Parts * dims[1] * dims[3]]),
            Q = call.Input<float>(0),
            K = call.Input<float>(1),
            V = call.Input<float>(2),
            Heads = dims[1],
            Positions = dims[2],
            D = call.RowLength(0),
        };
        call.Share(in work, &MergePosition, dims[0] * dims[2]);
    }

    private static void SplitPosition(in Work work, long piece)
    {
        var from = work.Rows + (piece * Parts * work.Heads * work.D);
        from = Scatter(in work, piece, from, work.Q);
        from = Scatter(in work, piece, from, work.K);
        Scatter(in work, piece, from, work.V);
    }

    private static void MergePosition(in Work work, long piece)
    {
        var to = work.Rows + (piece * Parts * work.Heads * work.D);
        to = Collect(in work, piece, work.Q, to);
        to = Collect(in work, piece, work.K, to);
        Collect(in work, piece, work.V, to);
    }

    /// <summary>One position's heads from a row to their places; returns the row's next element.</summary>
    private static float* Scatter(in Work work, long piece, float* row, float* heads)
    {
        var (place, stride) = Place(in work, piece);
        for (var head = 0L; head < work.Heads; head++, row += work.D)
            new ReadOnlySpan<float>(row, work.D)
                .CopyTo(new Span<float>(heads + place + (head * stride), work.D));
        return row;
    }

    /// <summary>The way back.</summary>
    private static float* Collect(in Work work, long piece, float* heads, float* row)
    {
        var (place, stride) = Place(in work, piece);
        for (var head = 0L; head < work.Heads; head++, row += work.D)
            new ReadOnlySpan<float>(heads + place + (head * stride), work.D)
                .CopyTo(new Span<float>(row, work.D));
        return row;
    }

    /// <summary>Where a position of [batch, heads, positions, d] begins, and how far its heads are apart.</summary>
    private static (long Place, long Stride) Place(in Work work, long piece)
    {
        var (batch, position) = Math.DivRem(piece, work.Positions);
        var stride = work.Positions * work.D;
        return ((batch * work.Heads * stride) + (position * work.D), stride);
    }

    private struct Work
    {
        public float* Rows, Q, K, V;
        public long Heads, Positions;
        public int D;
    }
}
