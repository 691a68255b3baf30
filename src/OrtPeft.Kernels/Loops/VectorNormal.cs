using System.Runtime.CompilerServices;

namespace OrtPeft.Kernels.Loops;

/// <summary>
/// The normal distribution in float32: Φ(x) = ½·(1 + erf(x/√2)) to two units in the last place of 1, and to 3·10⁻⁵ of
/// itself where it is small. The density comes from the same exponential.
/// </summary>
/// <remarks>
/// Φ(−|x|) = exp(−½x²)·p(s) with s = |x|/(3 + |x|): Hastings' form, of which 26.2.17 has an error of 7.5·10⁻⁸, in a
/// variable whose rounding does not matter near 0. The coefficients of p are fitted by Remez's algorithm to an error of
/// 7·10⁻⁹ in Φ, ½ at 0 exactly. Beyond ±13.2 Φ is 0 or 1. NaN stays NaN.
/// </remarks>
/// <seealso href="https://personal.math.ubc.ca/~cbm/aands/page_932.htm">Abramowitz and Stegun, Handbook of Mathematical
/// Functions, formula 26.2.17.</seealso>
internal static class VectorNormal
{
    /// <summary>Beyond it exp(−½x²) is not a normal number.</summary>
    private const float Highest = 14;

    private const float SqrtOfTwoPi = 2.50662827f;

    /// <summary>Φ(x) of each element.</summary>
    /// <param name="x">The elements.</param>
    /// <param name="density">φ(x) = exp(−½x²)/√(2π) of each.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x, out T density)
        where T : struct, IRegister<T>
    {
        // Of a number and NaN, MINPS gives NaN where that stands second.
        var distance = T.Min(T.Of(Highest), T.Abs(x));
        var bell = VectorExp.Of(distance * distance * T.Of(-0.5f));
        density = bell * T.Of(1 / SqrtOfTwoPi);
        var s = distance * T.Reciprocal(distance + T.Of(3f));
        var p = T.Of(-0.04569314044f);
        p = T.MultiplyAdd(p, s, T.Of(0.1038689441f));
        p = T.MultiplyAdd(p, s, T.Of(0.02308878742f));
        p = T.MultiplyAdd(p, s, T.Of(-0.1495899903f));
        p = T.MultiplyAdd(p, s, T.Of(-0.2881282825f));
        p = T.MultiplyAdd(p, s, T.Of(1.05322398f));
        p = T.MultiplyAdd(p, s, T.Of(-1.196827892f));
        p = T.MultiplyAdd(p, s, T.Of(0.5f));
        var tail = p * bell;
        return T.WhereLess(x, default, tail, T.Of(1) - tail);
    }
}
