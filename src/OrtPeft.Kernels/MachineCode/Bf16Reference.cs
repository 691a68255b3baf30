using System.Runtime.Intrinsics;
using OrtPeft.Kernels.Layouts;

namespace OrtPeft.Kernels.MachineCode;

/// <summary>The substitute for <see cref="Bf16Code"/> where the processor cannot run it: slower, and rounded in another
/// order.</summary>
internal static unsafe class Bf16Reference
{
    private const int Rows = 8, Width = PackedMatrix.Width;
    private const uint UpperHalf = 0xffff0000;

    /// <inheritdoc cref="Bf16Code.Multiply"/>
    public static void Multiply(in Bf16Tile tile)
    {
        for (var row = 0; row < Rows; row++)
        {
            var sums = (float*)((byte*)tile.S + (row * tile.SumStride));
            var result = (float*)((byte*)tile.C + (row * tile.Stride));
            for (var column = 0; column < Width; column += Vector512<float>.Count)
            {
                var sum = Vector512.Load(sums + column);
                for (var pair = 0L; pair < tile.Pairs; pair++)
                {
                    var a = Vector512.Create(tile.A[(pair * Rows) + row]);
                    var b = Vector512.Load(tile.B + (pair * Width) + column);
                    sum = Vector512.MultiplyAddEstimate(First(a), First(b), sum);
                    sum = Vector512.MultiplyAddEstimate(Second(a), Second(b), sum);
                }

                sum.Store(result + column);
            }
        }
    }

    /// <inheritdoc cref="Bf16Code.Round"/>
    public static void Round(in Bf16Rounding rounding)
    {
        for (var i = 0L; i < rounding.Vectors * Vector512<float>.Count; i++)
            rounding.Y[i] = PackedBf16.Round(rounding.X[i]);
    }

    private static Vector512<float> First(Vector512<uint> pair) => Vector512.ShiftLeft(pair, 16).AsSingle();

    private static Vector512<float> Second(Vector512<uint> pair) => (pair & Vector512.Create(UpperHalf)).AsSingle();
}
