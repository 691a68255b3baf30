using OrtPeft.Kernels.Layouts;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Operators;

/// <summary>Rows that are kept in bfloat16, in half of the memory, until they are read again.</summary>
public static unsafe class Narrowed
{
    /// <summary>Elements that a thread takes at once.</summary>
    private const int Piece = 1 << 14;

    /// <summary>X itself, and its copy in bfloat16, rounded to the nearest even. Who reads Y rather than X runs once the
    /// copy is there, so that ONNX Runtime, which orders nodes by what they read, makes it while X is fresh.</summary>
    public static FusedOp Narrow { get; } = new()
    {
        Name = "Narrow",
        Signature = OpSignature.Parse("X[..., n] → Y[..., n], N:bfloat16[..., n]"),
        Lower = static c => [c.X(0), c.G.Cast(c.X(0), ElementType.BFloat16)],
        Run = RunNarrow,
        IsView = true,
    };

    /// <summary>The copy in float32 again, but not before another value is there.</summary>
    public static FusedOp Widen { get; } = new()
    {
        Name = "Widen",
        Signature = OpSignature.Parse("N:bfloat16[..., n], after[**] → X[..., n]"),
        Lower = static c => [c.G.Cast(c.X(0), ElementType.Float)],
        Run = RunWiden,
        IsPass = true,
    };

    private static void RunNarrow(KernelCall call)
    {
        var dims = call.Dims(0);
        var work = new Work
        {
            Wide = call.Input<float>(0),
            Narrow = (ushort*)call.Output(1, dims),
            Count = KernelShapes.Count(dims),
        };
        var y = call.Output(0, dims);
        if (work.Wide != y)
            Buffer.MemoryCopy(work.Wide, y, work.Count * sizeof(float), work.Count * sizeof(float));
        call.Share(in work, &NarrowPiece, Pieces(work.Count));
    }

    private static void RunWiden(KernelCall call)
    {
        var dims = call.Dims(0);
        var work = new Work
        {
            Narrow = call.Input<ushort>(0),
            Wide = call.Output(0, dims),
            Count = KernelShapes.Count(dims),
        };
        call.Share(in work, &WidenPiece, Pieces(work.Count));
    }

    private static long Pieces(long count) => (count + Piece - 1) / Piece;

    private static void NarrowPiece(in Work work, long piece)
    {
        var first = piece * Piece;
        Bf16Rows.Narrow(work.Wide + first, work.Narrow + first, (int)Math.Min(Piece, work.Count - first));
    }

    private static void WidenPiece(in Work work, long piece)
    {
        var first = piece * Piece;
        Bf16Rows.Widen(work.Narrow + first, work.Wide + first, (int)Math.Min(Piece, work.Count - first));
    }

    private struct Work
    {
        public float* Wide;
        public ushort* Narrow;
        public long Count;
    }
}
