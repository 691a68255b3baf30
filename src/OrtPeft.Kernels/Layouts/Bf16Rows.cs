using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OrtPeft.Kernels.Layouts;

/// <summary>Rows of float32 that become bfloat16, rounded to the nearest and of two as near to the even one, and back.
/// </summary>
internal static unsafe class Bf16Rows
{
    private const int HalfBits = 16;
    private const uint BelowHalf = 0x7fff, Quiet = 0x40;

    /// <summary>y = x, rounded; what is not a number stays so. Results go past the caches where y begins with a vector of
    /// 512 bits: who keeps them reads something else first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow(float* x, ushort* y, int count)
    {
        var i = 0;
        if (Vector512.IsHardwareAccelerated && (nint)y % Vector512<byte>.Count == 0)
        {
            for (; i <= count - Vector512<ushort>.Count; i += Vector512<ushort>.Count)
            {
                var low = Rounded(Vector512.Load(x + i));
                Vector512.Narrow(low, Rounded(Vector512.Load(x + i + Vector512<float>.Count)))
                    .StoreAlignedNonTemporal(y + i);
            }
        }
        else if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= count - Vector512<ushort>.Count; i += Vector512<ushort>.Count)
            {
                var low = Rounded(Vector512.Load(x + i));
                Vector512.Narrow(low, Rounded(Vector512.Load(x + i + Vector512<float>.Count))).Store(y + i);
            }
        }

        if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= count - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
            {
                var low = Rounded(Vector256.Load(x + i));
                Vector256.Narrow(low, Rounded(Vector256.Load(x + i + Vector256<float>.Count))).Store(y + i);
            }
        }

        for (; i <= count - Vector128<ushort>.Count; i += Vector128<ushort>.Count)
        {
            var low = Rounded(Vector128.Load(x + i));
            Vector128.Narrow(low, Rounded(Vector128.Load(x + i + Vector128<float>.Count))).Store(y + i);
        }

        for (; i < count; i++)
            y[i] = PackedBf16.Round(x[i]);
    }

    /// <summary>y = x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen(ushort* x, float* y, int count)
    {
        var i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= count - Vector512<ushort>.Count; i += Vector512<ushort>.Count)
            {
                var (low, high) = Vector512.Widen(Vector512.Load(x + i));
                Vector512.ShiftLeft(low, HalfBits).AsSingle().Store(y + i);
                Vector512.ShiftLeft(high, HalfBits).AsSingle().Store(y + i + Vector512<float>.Count);
            }
        }

        if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= count - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
            {
                var (low, high) = Vector256.Widen(Vector256.Load(x + i));
                Vector256.ShiftLeft(low, HalfBits).AsSingle().Store(y + i);
                Vector256.ShiftLeft(high, HalfBits).AsSingle().Store(y + i + Vector256<float>.Count);
            }
        }

        for (; i <= count - Vector128<ushort>.Count; i += Vector128<ushort>.Count)
        {
            var (low, high) = Vector128.Widen(Vector128.Load(x + i));
            Vector128.ShiftLeft(low, HalfBits).AsSingle().Store(y + i);
            Vector128.ShiftLeft(high, HalfBits).AsSingle().Store(y + i + Vector128<float>.Count);
        }

        for (; i < count; i++)
            y[i] = BitConverter.UInt32BitsToSingle((uint)x[i] << HalfBits);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Rounded(Vector512<float> x)
    {
        var bits = x.AsUInt32();
        var upper = Vector512.ShiftRightLogical(bits, HalfBits);
        var nearest = bits + Vector512.Create(BelowHalf) + (upper & Vector512<uint>.One);
        return Vector512.ConditionalSelect(
            Vector512.Equals(x, x).AsUInt32(),
            Vector512.ShiftRightLogical(nearest, HalfBits),
            upper | Vector512.Create(Quiet));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rounded(Vector256<float> x)
    {
        var bits = x.AsUInt32();
        var upper = Vector256.ShiftRightLogical(bits, HalfBits);
        var nearest = bits + Vector256.Create(BelowHalf) + (upper & Vector256<uint>.One);
        return Vector256.ConditionalSelect(
            Vector256.Equals(x, x).AsUInt32(),
            Vector256.ShiftRightLogical(nearest, HalfBits),
            upper | Vector256.Create(Quiet));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Rounded(Vector128<float> x)
    {
        var bits = x.AsUInt32();
        var upper = Vector128.ShiftRightLogical(bits, HalfBits);
        var nearest = bits + Vector128.Create(BelowHalf) + (upper & Vector128<uint>.One);
        return Vector128.ConditionalSelect(
            Vector128.Equals(x, x).AsUInt32(),
            Vector128.ShiftRightLogical(nearest, HalfBits),
            upper | Vector128.Create(Quiet));
    }
}
