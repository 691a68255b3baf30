using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OrtPeft.Kernels.Loops;

/// <summary>A piece of a small product whose operands lie where they are: eight rows of sums, 32 wide, which stay in
/// registers.</summary>
internal static unsafe class StridedTile
{
    /// <summary>Rows of the result.</summary>
    public const int Rows = 8;

    /// <summary>Columns of the result: two vectors of 512 bits.</summary>
    public const int Width = 32;

    /// <summary>A count filled up to whole tiles.</summary>
    public static int Filled(int count) => (count + Width - 1) / Width * Width;

    /// <summary>C = A·B, or C + A·B.</summary>
    /// <param name="depth">Elements of a sum.</param>
    /// <param name="a">[<see cref="Rows"/>, depth].</param>
    /// <param name="aStride">How far A's rows are apart.</param>
    /// <param name="aStep">How far elements of a row are apart.</param>
    /// <param name="b">[depth, <see cref="Width"/>].</param>
    /// <param name="bStride">How far B's rows are apart.</param>
    /// <param name="c">[<see cref="Rows"/>, <see cref="Width"/>].</param>
    /// <param name="cStride">How far C's rows are apart.</param>
    /// <param name="adds">Whether to add to what C holds.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        int depth, float* a, nint aStride, nint aStep, float* b, nint bStride, float* c, nint cStride, bool adds)
    {
        Row r0 = default, r1 = default, r2 = default, r3 = default;
        Row r4 = default, r5 = default, r6 = default, r7 = default;
        var (two, three) = (2 * aStride, 3 * aStride);
        var lower = a + (4 * aStride);
        for (var i = 0; i < depth; i++, a += aStep, lower += aStep, b += bStride)
        {
            var (x, y) = (Vector512.Load(b), Vector512.Load(b + 16));
            r0.Add(a[0], x, y);
            r1.Add(a[aStride], x, y);
            r2.Add(a[two], x, y);
            r3.Add(a[three], x, y);
            r4.Add(lower[0], x, y);
            r5.Add(lower[aStride], x, y);
            r6.Add(lower[two], x, y);
            r7.Add(lower[three], x, y);
        }

        r0.Store(c, adds);
        r1.Store(c += cStride, adds);
        r2.Store(c += cStride, adds);
        r3.Store(c += cStride, adds);
        r4.Store(c += cStride, adds);
        r5.Store(c += cStride, adds);
        r6.Store(c += cStride, adds);
        r7.Store(c + cStride, adds);
    }

    /// <summary>One row of C.</summary>
    private struct Row
    {
        private Vector512<float> _x, _y;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(float a, Vector512<float> x, Vector512<float> y)
        {
            var factor = Vector512.Create(a);
            _x = Vector512.FusedMultiplyAdd(factor, x, _x);
            _y = Vector512.FusedMultiplyAdd(factor, y, _y);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Store(float* c, bool adds)
        {
            var (x, y) = adds ? (_x + Vector512.Load(c), _y + Vector512.Load(c + 16)) : (_x, _y);
            x.Store(c);
            y.Store(c + 16);
        }
    }
}
