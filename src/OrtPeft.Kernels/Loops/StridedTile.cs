using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OrtPeft.Kernels.Loops;

/// <summary>A piece of a small product whose operands lie where they are: eight rows of sums, 32 wide, which stay in
/// registers. Narrower registers than those of AVX-512 take some of its columns at once, and 16 of them four rows.
/// </summary>
internal static unsafe class StridedTile
{
    /// <summary>Rows of the result.</summary>
    public const int Rows = 8;

    /// <summary>Columns of the result: two registers of 512 bits.</summary>
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
    public static void Multiply(
        int depth, float* a, nint aStride, nint aStep, float* b, nint bStride, float* c, nint cStride, bool adds)
    {
        if (Avx512F.IsSupported)
            MultiplyPart<Register512>(depth, a, aStride, aStep, b, bStride, c, cStride, adds);
        else if (Vector256.IsHardwareAccelerated)
            MultiplyParts<Register256>(depth, a, aStride, aStep, b, bStride, c, cStride, adds);
        else
            MultiplyParts<Register128>(depth, a, aStride, aStep, b, bStride, c, cStride, adds);
    }

    private static void MultiplyParts<T>(
        int depth, float* a, nint aStride, nint aStep, float* b, nint bStride, float* c, nint cStride, bool adds)
        where T : struct, IRegister<T>
    {
        for (var column = 0; column < Width; column += 2 * T.Count)
        {
            for (var row = 0; row < Rows; row += T.AreMany ? Rows : Rows / 2)
                MultiplyPart<T>(
                    depth, a + (row * aStride), aStride, aStep, b + column, bStride, c + (row * cStride) + column,
                    cStride, adds);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyPart<T>(
        int depth, float* a, nint aStride, nint aStep, float* b, nint bStride, float* c, nint cStride, bool adds)
        where T : struct, IRegister<T>
    {
        Row<T> r0 = default, r1 = default, r2 = default, r3 = default;
        Row<T> r4 = default, r5 = default, r6 = default, r7 = default;
        var (two, three) = (2 * aStride, 3 * aStride);
        var lower = a + (4 * aStride);
        for (var i = 0; i < depth; i++, a += aStep, lower += aStep, b += bStride)
        {
            var (x, y) = (T.Load(b), T.Load(b + T.Count));
            r0.Add(a[0], x, y);
            r1.Add(a[aStride], x, y);
            r2.Add(a[two], x, y);
            r3.Add(a[three], x, y);
            if (T.AreMany)
            {
                r4.Add(lower[0], x, y);
                r5.Add(lower[aStride], x, y);
                r6.Add(lower[two], x, y);
                r7.Add(lower[three], x, y);
            }
        }

        r0.Store(c, adds);
        r1.Store(c += cStride, adds);
        r2.Store(c += cStride, adds);
        r3.Store(c += cStride, adds);
        if (T.AreMany)
        {
            r4.Store(c += cStride, adds);
            r5.Store(c += cStride, adds);
            r6.Store(c += cStride, adds);
            r7.Store(c + cStride, adds);
        }
    }

    /// <summary>One row of C, or a part of it.</summary>
    private struct Row<T>
        where T : struct, IRegister<T>
    {
        private T _x, _y;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(float a, T x, T y)
        {
            var factor = T.Of(a);
            _x = T.MultiplyAdd(factor, x, _x);
            _y = T.MultiplyAdd(factor, y, _y);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Store(float* c, bool adds)
        {
            var (x, y) = adds ? (_x + T.Load(c), _y + T.Load(c + T.Count)) : (_x, _y);
            x.Store(c);
            y.Store(c + T.Count);
        }
    }
}
