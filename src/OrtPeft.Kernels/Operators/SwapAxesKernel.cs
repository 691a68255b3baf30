using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.Operators;

/// <summary>Swaps the second and third of four axes, as attention does with positions and heads.</summary>
internal static unsafe class SwapAxesKernel
{
    private const int Axes = 4;

    /// <summary>X [a, b, c, d] → Y [a, c, b, d].</summary>
    public static void Run(KernelCall call)
    {
        if (call.Dims(0) is not { Length: Axes } dims)
            throw new ArgumentException($"the input has {call.Dims(0).Length} axes, not {Axes}.");
        var work = new KernelWork
        {
            Body = &Row,
            A = call.Input<float>(0),
            Y = call.Output(0, [dims[0], dims[2], dims[1], dims[3]]),
            Heads = dims[1],
            Queries = dims[2],
            Columns = checked((int)dims[3]),
        };
        call.Share(work, dims[0] * dims[2]);
    }

    /// <summary>A piece is all of b for one of a and c: it is written in one go.</summary>
    private static void Row(in KernelWork work, long piece)
    {
        var n = work.Columns;
        var (a, c) = Math.DivRem(piece, work.Queries);
        var from = work.A + (((a * work.Heads * work.Queries) + c) * n);
        var to = work.Y + (piece * work.Heads * n);
        for (var b = 0L; b < work.Heads; b++)
        {
            new ReadOnlySpan<float>(from, n).CopyTo(new Span<float>(to, n));
            from += work.Queries * n;
            to += n;
        }
    }
}
