using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OrtPeft.Kernels.Loops;

namespace OrtPeft.Kernels.LowRank;

/// <summary>The innermost piece of a product X·Vᵀ: sums along rows, a register's numbers at once.</summary>
internal static unsafe class LowRankTile
{
    /// <summary>Rows of both operands whose products are added up at once; with 16 registers, half of them of X.
    /// </summary>
    private const int Side = 4;

    /// <summary>U = α·X·Vᵀ.</summary>
    /// <param name="x">[rows, n].</param>
    /// <param name="rows">Any number.</param>
    /// <param name="v">[r, n].</param>
    /// <param name="r">Any number.</param>
    /// <param name="n">The length of the sums.</param>
    /// <param name="alpha">α.</param>
    /// <param name="u">[rows, r].</param>
    public static void Multiply(float* x, int rows, float* v, int r, int n, float alpha, float* u)
    {
        if (Avx512F.IsSupported)
            Multiply<Register512>(x, rows, v, r, n, alpha, u);
        else if (Vector256.IsHardwareAccelerated)
            Multiply<Register256>(x, rows, v, r, n, alpha, u);
        else
            Multiply<Register128>(x, rows, v, r, n, alpha, u);
    }

    private static void Multiply<T>(float* x, int rows, float* v, int r, int n, float alpha, float* u)
        where T : struct, IRegister<T>
    {
        var side = T.AreMany ? Side : Side / 2;
        var square = stackalloc float[Side * Side];
        for (var row = 0; row < rows; row += side)
        {
            for (var thin = 0; thin < r; thin += Side)
            {
                var (rowsHere, thinsHere) = (Math.Min(side, rows - row), Math.Min(Side, r - thin));
                MultiplySquare<T>(x + ((nint)row * n), rowsHere, v + ((nint)thin * n), thinsHere, n, square);
                for (var i = 0; i < rowsHere; i++)
                {
                    for (var j = 0; j < thinsHere; j++)
                        u[((nint)(row + i) * r) + thin + j] = alpha * square[(i * Side) + j];
                }
            }
        }
    }

    /// <summary>Up to four rows of both. Where there are fewer, the last stands for the missing ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplySquare<T>(float* x, int rows, float* v, int thins, nint n, float* square)
        where T : struct, IRegister<T>
    {
        nint x1 = rows > 1 ? n : 0, x2 = x1 + (rows > 2 ? n : 0), x3 = x2 + (rows > 3 ? n : 0);
        nint v1 = thins > 1 ? n : 0, v2 = v1 + (thins > 2 ? n : 0), v3 = v2 + (thins > 3 ? n : 0);
        Sums<T> s0 = default, s1 = default, s2 = default, s3 = default;
        var rest = n;
        for (; rest >= T.Count; rest -= T.Count, x += T.Count, v += T.Count)
        {
            var (a, b, c, d) = (T.Load(v), T.Load(v + v1), T.Load(v + v2), T.Load(v + v3));
            s0.Add(T.Load(x), a, b, c, d);
            s1.Add(T.Load(x + x1), a, b, c, d);
            if (T.AreMany)
            {
                s2.Add(T.Load(x + x2), a, b, c, d);
                s3.Add(T.Load(x + x3), a, b, c, d);
            }
        }

        s0.Store(square);
        s1.Store(square + Side);
        if (T.AreMany)
        {
            s2.Store(square + (2 * Side));
            s3.Store(square + (3 * Side));
        }

        for (var i = 0; i < rest; i++)
        {
            for (var place = 0; place < Side * rows; place++)
            {
                var (row, thin) = Math.DivRem(place, Side);
                square[place] += x[(row * n) + i] * v[(Math.Min(thin, thins - 1) * n) + i];
            }
        }
    }

    /// <summary>One row's products with four others.</summary>
    private struct Sums<T>
        where T : struct, IRegister<T>
    {
        private T _a, _b, _c, _d;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(T x, T a, T b, T c, T d)
        {
            _a = T.MultiplyAdd(x, a, _a);
            _b = T.MultiplyAdd(x, b, _b);
            _c = T.MultiplyAdd(x, c, _c);
            _d = T.MultiplyAdd(x, d, _d);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Store(float* totals)
        {
            totals[0] = _a.Sum();
            totals[1] = _b.Sum();
            totals[2] = _c.Sum();
            totals[3] = _d.Sum();
        }
    }
}
