using System.Runtime.CompilerServices;

namespace OrtPeft.Kernels.Loops;

/// <summary>
/// The exponential function in float32 alone, to about one unit in the last place; .NET's goes through float64 at a
/// fourth of the speed.
/// </summary>
/// <remarks>
/// x = n·ln 2 + r with |r| ≤ ½·ln 2; eˣ = 2ⁿ·(1 + r + r²·p(r)). The coefficients of p are those of the Cephes library's
/// <c>expf</c>. Below −87.33, where eˣ is no longer a normal number, the result is 0; above 88.37 it stays at
/// 2.4·10³⁸. NaN stays NaN.
/// </remarks>
internal static class VectorExp
{
    private const float Lowest = -87.33f;
    private const float Highest = 88.37f;
    private const float Log2E = 1.44269504f;

    /// <summary>ln 2 in two parts, of which the first times n is exact.</summary>
    private const float Ln2High = 0.693359375f;

    private const float Ln2Low = -2.12194440e-4f;

    /// <summary>1.5·2²³: what is added to it is rounded to an integer.</summary>
    private const float Rounder = 12582912f;

    /// <summary>eˣ of each element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x)
        where T : struct, IRegister<T>
    {
        // Of NaN and a number, MINPS gives the second.
        var p = Fraction(T.Min(T.Of(Highest), x), out var n);
        return T.WhereLess(x, T.Of(Lowest), default, p * T.PowerOfTwo(n));
    }

    /// <summary>1/(1 + eˣ) of each element, to about one unit in the last place; 0 above 88.37, so that what is
    /// multiplied with it vanishes, too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SigmoidOfNegative<T>(T x)
        where T : struct, IRegister<T>
    {
        var fraction = Fraction(T.Max(T.Of(Lowest), T.Min(T.Of(Highest), x)), out var n);
        // A division takes as long as all of the exponential.
        return T.WhereLess(T.Of(Highest), x, default, T.Reciprocal(T.Scale(fraction, n) + T.Of(1)));
    }

    /// <summary>eˣ·2⁻ⁿ and n.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Fraction<T>(T x, out T n)
        where T : struct, IRegister<T>
    {
        n = T.MultiplyAdd(x, T.Of(Log2E), T.Of(Rounder)) - T.Of(Rounder);
        var r = T.MultiplyAdd(n, T.Of(-Ln2High), x);
        r = T.MultiplyAdd(n, T.Of(-Ln2Low), r);
        var p = T.Of(1.9875691500e-4f);
        p = T.MultiplyAdd(p, r, T.Of(1.3981999507e-3f));
        p = T.MultiplyAdd(p, r, T.Of(8.3334519073e-3f));
        p = T.MultiplyAdd(p, r, T.Of(4.1665795894e-2f));
        p = T.MultiplyAdd(p, r, T.Of(1.6666665459e-1f));
        p = T.MultiplyAdd(p, r, T.Of(5.0000001201e-1f));
        return T.MultiplyAdd(p, r * r, r) + T.Of(1);
    }
}
