using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OrtPeft.Kernels.LowRank;

/// <summary>The innermost piece of a product X·Vᵀ: sums along rows, sixteen at once.</summary>
internal static unsafe class LowRankTile
{
    /// <summary>Rows of both operands whose products are added up at once.</summary>
    private const int Side = 4;

    private const int Step = 16;

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
        var square = stackalloc float[Side * Side];
        for (var row = 0; row < rows; row += Side)
        {
            for (var thin = 0; thin < r; thin += Side)
            {
                var (rowsHere, thinsHere) = (Math.Min(Side, rows - row), Math.Min(Side, r - thin));
                MultiplySquare(x + ((nint)row * n), rowsHere, v + ((nint)thin * n), thinsHere, n, square);
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
    private static void MultiplySquare(float* x, int rows, float* v, int thins, nint n, float* square)
    {
        nint x1 = rows > 1 ? n : 0, x2 = x1 + (rows > 2 ? n : 0), x3 = x2 + (rows > 3 ? n : 0);
        nint v1 = thins > 1 ? n : 0, v2 = v1 + (thins > 2 ? n : 0), v3 = v2 + (thins > 3 ? n : 0);
        Sums s0 = default, s1 = default, s2 = default, s3 = default;
        var rest = n;
        for (; rest >= Step; rest -= Step, x += Step, v += Step)
        {
            var (a, b) = (Vector512.Load(v), Vector512.Load(v + v1));
            var (c, d) = (Vector512.Load(v + v2), Vector512.Load(v + v3));
            s0.Add(Vector512.Load(x), a, b, c, d);
            s1.Add(Vector512.Load(x + x1), a, b, c, d);
            s2.Add(Vector512.Load(x + x2), a, b, c, d);
            s3.Add(Vector512.Load(x + x3), a, b, c, d);
        }

        s0.Store(square);
        s1.Store(square + Side);
        s2.Store(square + (2 * Side));
        s3.Store(square + (3 * Side));
        for (var i = 0; i < rest; i++)
        {
            for (var place = 0; place < Side * Side; place++)
            {
                var (row, thin) = Math.DivRem(place, Side);
                square[place] += x[(Math.Min(row, rows - 1) * n) + i] * v[(Math.Min(thin, thins - 1) * n) + i];
            }
        }
    }

    /// <summary>One row's products with four others.</summary>
    private struct Sums
    {
        private Vector512<float> _a, _b, _c, _d;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(
            Vector512<float> x, Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
        {
            _a = Vector512.FusedMultiplyAdd(x, a, _a);
            _b = Vector512.FusedMultiplyAdd(x, b, _b);
            _c = Vector512.FusedMultiplyAdd(x, c, _c);
            _d = Vector512.FusedMultiplyAdd(x, d, _d);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Store(float* totals)
        {
            totals[0] = Vector512.Sum(_a);
            totals[1] = Vector512.Sum(_b);
            totals[2] = Vector512.Sum(_c);
            totals[3] = Vector512.Sum(_d);
        }
    }
}
