using OrtPeft.Kernels.Native;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels.Operators;

/// <summary>Swaps the second and third of four axes, as attention does with positions and heads.</summary>
public static unsafe class SwapAxes
{
    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "SwapAxes",
        Signature = OpSignature.Parse("X~[a, b, c, d] → Y[a, c, b, d]"),
        Lower = static c => [c.G.Transpose(c.X(0), 0, 2, 1, 3)],
        Run = RunForward,
        IsPass = true,
    };

    private static void RunForward(KernelCall call)
    {
        var dims = call.Dims(0);
        var work = new Work
        {
            X = call.Input<float>(0),
            Y = call.Output(0, [dims[0], dims[2], dims[1], dims[3]]),
            B = dims[1],
            C = dims[2],
            D = call.RowLength(0),
        };
        call.Share(in work, &Row, dims[0] * dims[2]);
    }

    /// <summary>A piece is all of b for one of a and c: it is written in one go.</summary>
    private static void Row(in Work work, long piece)
    {
        var n = work.D;
        var (a, c) = Math.DivRem(piece, work.C);
        var from = work.X + (((a * work.B * work.C) + c) * n);
        var to = work.Y + (piece * work.B * n);
        for (var b = 0L; b < work.B; b++)
        {
            new ReadOnlySpan<float>(from, n).CopyTo(new Span<float>(to, n));
            from += work.C * n;
            to += n;
        }
    }

    private struct Work
    {
        public float* X, Y;
        public long B, C;
        public int D;
    }
}
