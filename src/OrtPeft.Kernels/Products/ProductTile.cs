using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OrtPeft.Kernels.Layouts;
using OrtPeft.Kernels.Loops;

namespace OrtPeft.Kernels.Products;

/// <summary>
/// The innermost piece of a product: <see cref="Rows"/> rows times a panel. Sums stay in registers, three of a row: with
/// AVX-512, 24 of the 32 registers hold all of a tile's sums, three the panel's row and one an element of the other
/// operand; each number that is read is used three or eight times, so that the multipliers are busy all the time.
/// Narrower registers take a part of the panel's columns at once, and 16 registers four rows.
/// </summary>
internal static unsafe class ProductTile
{
    /// <summary>Rows of the left operand that are multiplied at once.</summary>
    public const int Rows = 8;

    private const int Width = PackedMatrix.Width;

    /// <summary>Steps of the sum in one round of the loop; the sum's length is a multiple.</summary>
    public const int Unroll = 2;

    /// <summary>C = A·B, and what is added to it.</summary>
    /// <param name="depth">Elements of a sum, a multiple of <see cref="Unroll"/>.</param>
    /// <param name="a">[depth, <see cref="Rows"/>].</param>
    /// <param name="b">[depth, <see cref="PackedMatrix.Width"/>].</param>
    /// <param name="result">Where C goes.</param>
    /// <param name="ahead">What will be read soon; it is asked for on the way, evenly.</param>
    /// <param name="aheadBytes">How many bytes of it.</param>
    public static void Multiply(
        int depth, float* a, float* b, in TileResult result, byte* ahead, int aheadBytes)
    {
        if (Avx512F.IsSupported)
            MultiplyPart<Register512>(depth, a, b, in result, ahead, aheadBytes);
        else if (Vector256.IsHardwareAccelerated)
            MultiplyParts<Register256>(depth, a, b, in result, ahead, aheadBytes);
        else
            MultiplyParts<Register128>(depth, a, b, in result, ahead, aheadBytes);
    }

    private static void MultiplyParts<T>(
        int depth, float* a, float* b, in TileResult result, byte* ahead, int aheadBytes)
        where T : struct, IRegister<T>
    {
        var parts = Width / (3 * T.Count) * (T.AreMany ? 1 : 2);
        for (var column = 0; column < Width; column += 3 * T.Count)
        {
            for (var row = 0; row < Rows; row += T.AreMany ? Rows : Rows / 2)
            {
                var part = result.From(row, column);
                MultiplyPart<T>(depth, a + row, b + column, in part, ahead, aheadBytes / parts);
                ahead += aheadBytes / parts;
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyPart<T>(
        int depth, float* a, float* b, in TileResult result, byte* ahead, int aheadBytes)
        where T : struct, IRegister<T>
    {
        Row<T> r0 = default, r1 = default, r2 = default, r3 = default;
        Row<T> r4 = default, r5 = default, r6 = default, r7 = default;
        nint step = aheadBytes * Unroll / depth;
        for (var end = b + ((nint)depth * Width); b < end; b += Unroll * Width, a += Unroll * Rows, ahead += step)
        {
            if (Sse.IsSupported)
                Sse.Prefetch1(ahead);
            var (x, y, z) = (T.Load(b), T.Load(b + T.Count), T.Load(b + (2 * T.Count)));
            r0.Add(a[0], x, y, z);
            r1.Add(a[1], x, y, z);
            r2.Add(a[2], x, y, z);
            r3.Add(a[3], x, y, z);
            if (T.AreMany)
            {
                r4.Add(a[4], x, y, z);
                r5.Add(a[5], x, y, z);
                r6.Add(a[6], x, y, z);
                r7.Add(a[7], x, y, z);
            }

            var next = b + Width;
            (x, y, z) = (T.Load(next), T.Load(next + T.Count), T.Load(next + (2 * T.Count)));
            r0.Add(a[8], x, y, z);
            r1.Add(a[9], x, y, z);
            r2.Add(a[10], x, y, z);
            r3.Add(a[11], x, y, z);
            if (T.AreMany)
            {
                r4.Add(a[12], x, y, z);
                r5.Add(a[13], x, y, z);
                r6.Add(a[14], x, y, z);
                r7.Add(a[15], x, y, z);
            }
        }

        var to = result;
        r0.Store(ref to);
        r1.Store(ref to);
        r2.Store(ref to);
        r3.Store(ref to);
        if (T.AreMany)
        {
            r4.Store(ref to);
            r5.Store(ref to);
            r6.Store(ref to);
            r7.Store(ref to);
        }
    }

    /// <summary>One row of C, or a part of it.</summary>
    private struct Row<T>
        where T : struct, IRegister<T>
    {
        private T _x, _y, _z;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(float a, T x, T y, T z)
        {
            var factor = T.Of(a);
            _x = T.MultiplyAdd(factor, x, _x);
            _y = T.MultiplyAdd(factor, y, _y);
            _z = T.MultiplyAdd(factor, z, _z);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Store(ref TileResult to)
        {
            var (x, y, z) = (_x, _y, _z);
            if (to.Sum != null)
            {
                x += T.Load(to.Sum);
                y += T.Load(to.Sum + T.Count);
                z += T.Load(to.Sum + (2 * T.Count));
                to.Sum += to.SumStride;
            }

            if (to.Bias != null)
            {
                x += T.Load(to.Bias);
                y += T.Load(to.Bias + T.Count);
                z += T.Load(to.Bias + (2 * T.Count));
            }

            x.Store(to.C);
            y.Store(to.C + T.Count);
            z.Store(to.C + (2 * T.Count));
            to.C += to.Stride;
        }
    }
}
