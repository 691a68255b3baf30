using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OrtPeft.Adapters.Artifacts.Speed.Kernels;

namespace OrtPeft.Inference.Kernels.Products;

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

    /// <summary>C = A·B, or C + A·B.</summary>
    /// <param name="depth">Elements of a sum, a multiple of <see cref="Unroll"/>.</param>
    /// <param name="a">[depth, <see cref="Rows"/>].</param>
    /// <param name="b">[depth, <see cref="PackedMatrix.Width"/>].</param>
    /// <param name="c">[<see cref="Rows"/>, <see cref="PackedMatrix.Width"/>].</param>
    /// <param name="stride">How far C's rows are apart.</param>
    /// <param name="adds">Whether to add to what C holds.</param>
    /// <param name="ahead">What will be read soon; it is asked for on the way, evenly.</param>
    /// <param name="aheadBytes">How many bytes of it.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        int depth, float* a, float* b, float* c, nint stride, bool adds, byte* ahead, int aheadBytes)
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

        r0.Store(c, adds);
        r1.Store(c += stride, adds);
        r2.Store(c += stride, adds);
        r3.Store(c += stride, adds);
        r4.Store(c += stride, adds);
        r5.Store(c += stride, adds);
        r6.Store(c += stride, adds);
        r7.Store(c + stride, adds);
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
        public readonly void Store(float* c, bool adds)
        {
            var (x, y, z) = (_x, _y, _z);
            if (adds)
                (x, y, z) = (x + Vector512.Load(c), y + Vector512.Load(c + 16), z + Vector512.Load(c + 32));
            x.Store(c);
            y.Store(c + 16);
            z.Store(c + 32);
        }
    }
}
