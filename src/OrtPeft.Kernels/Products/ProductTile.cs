using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OrtPeft.Kernels.Layouts;

namespace OrtPeft.Kernels.Products;

/// <summary>
/// The innermost piece of a product: <see cref="Rows"/> rows times a panel, whose sums stay in registers. With AVX-512,
/// 24 of the 32 registers hold sums, three the panel's row and one an element of the other operand; each number that is
/// read is used three or eight times, so that the multipliers are busy all the time.
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
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        int depth, float* a, float* b, in TileResult result, byte* ahead, int aheadBytes)
    {
        Row r0 = default, r1 = default, r2 = default, r3 = default;
        Row r4 = default, r5 = default, r6 = default, r7 = default;
        nint step = aheadBytes * Unroll / depth;
        for (var end = b + ((nint)depth * Width); b < end; b += Unroll * Width, a += Unroll * Rows, ahead += step)
        {
            if (Sse.IsSupported)
                Sse.Prefetch1(ahead);
            var (x, y, z) = (Vector512.Load(b), Vector512.Load(b + 16), Vector512.Load(b + 32));
            r0.Add(a[0], x, y, z);
            r1.Add(a[1], x, y, z);
            r2.Add(a[2], x, y, z);
            r3.Add(a[3], x, y, z);
            r4.Add(a[4], x, y, z);
            r5.Add(a[5], x, y, z);
            r6.Add(a[6], x, y, z);
            r7.Add(a[7], x, y, z);
            (x, y, z) = (Vector512.Load(b + 48), Vector512.Load(b + 64), Vector512.Load(b + 80));
            r0.Add(a[8], x, y, z);
            r1.Add(a[9], x, y, z);
            r2.Add(a[10], x, y, z);
            r3.Add(a[11], x, y, z);
            r4.Add(a[12], x, y, z);
            r5.Add(a[13], x, y, z);
            r6.Add(a[14], x, y, z);
            r7.Add(a[15], x, y, z);
        }

        var to = result;
        r0.Store(ref to);
        r1.Store(ref to);
        r2.Store(ref to);
        r3.Store(ref to);
        r4.Store(ref to);
        r5.Store(ref to);
        r6.Store(ref to);
        r7.Store(ref to);
    }

    /// <summary>One row of C.</summary>
    private struct Row
    {
        private Vector512<float> _x, _y, _z;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(float a, Vector512<float> x, Vector512<float> y, Vector512<float> z)
        {
            var factor = Vector512.Create(a);
            _x = Vector512.FusedMultiplyAdd(factor, x, _x);
            _y = Vector512.FusedMultiplyAdd(factor, y, _y);
            _z = Vector512.FusedMultiplyAdd(factor, z, _z);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Store(ref TileResult to)
        {
            var (x, y, z) = (_x, _y, _z);
            if (to.Sum != null)
            {
                x += Vector512.Load(to.Sum);
                y += Vector512.Load(to.Sum + 16);
                z += Vector512.Load(to.Sum + 32);
                to.Sum += to.SumStride;
            }

            if (to.Bias != null)
            {
                x += Vector512.Load(to.Bias);
                y += Vector512.Load(to.Bias + 16);
                z += Vector512.Load(to.Bias + 32);
            }

            x.Store(to.C);
            y.Store(to.C + 16);
            z.Store(to.C + 32);
            to.C += to.Stride;
        }
    }
}
