using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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

    private const int ExponentBias = 127;
    private const int MantissaBits = 23;

    /// <summary>eˣ of each element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Of(Vector512<float> x)
    {
        var isTooLow = Vector512.LessThan(x, Vector512.Create(Lowest));
        // Of NaN and a number, MINPS gives the second.
        x = Vector512.MinNative(Vector512.Create(Highest), x);
        var p = Fraction(x, out var n);
        var exponent = Vector512.ConvertToInt32Native(n) + Vector512.Create(ExponentBias);
        var power = Vector512.ShiftLeft(exponent, MantissaBits).AsSingle();
        return Vector512.ConditionalSelect(isTooLow, Vector512<float>.Zero, p * power);
    }

    /// <summary>1/(1 + eˣ) of each element, to about one unit in the last place; 0 above 88.37, so that what is
    /// multiplied with it vanishes, too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> SigmoidOfNegative(Vector512<float> x)
    {
        var isTooHigh = Vector512.GreaterThan(x, Vector512.Create(Highest));
        return Vector512.ConditionalSelect(isTooHigh, Vector512<float>.Zero, ReciprocalOfOneAndExp(x));
    }

    /// <summary>1/x, of numbers whose reciprocal is normal or nearly so, to about one unit in the last place: a
    /// reciprocal to 14 bits and a step of Newton's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Reciprocal(Vector512<float> x)
    {
        if (!Avx512F.IsSupported)
            return Vector512<float>.One / x;
        var reciprocal = Avx512F.Reciprocal14(x);
        var error = Avx512F.FusedMultiplyAddNegated(x, reciprocal, Vector512<float>.One);
        return Vector512.MultiplyAddEstimate(reciprocal, error, reciprocal);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> ReciprocalOfOneAndExp(Vector512<float> x)
    {
        if (!Avx512F.IsSupported)
            return Vector512<float>.One / (Vector512<float>.One + Of(x));
        x = Vector512.MaxNative(Vector512.Create(Lowest), Vector512.MinNative(Vector512.Create(Highest), x));
        // A division takes as long as all of the exponential.
        return Reciprocal(Avx512F.Scale(Fraction(x, out var n), n) + Vector512<float>.One);
    }

    /// <summary>eˣ·2⁻ⁿ and n.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Fraction(Vector512<float> x, out Vector512<float> n)
    {
        n = Vector512.MultiplyAddEstimate(x, Vector512.Create(Log2E), Vector512.Create(Rounder))
            - Vector512.Create(Rounder);
        var r = Vector512.MultiplyAddEstimate(n, Vector512.Create(-Ln2High), x);
        r = Vector512.MultiplyAddEstimate(n, Vector512.Create(-Ln2Low), r);
        var p = Vector512.Create(1.9875691500e-4f);
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(1.3981999507e-3f));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(8.3334519073e-3f));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(4.1665795894e-2f));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(1.6666665459e-1f));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(5.0000001201e-1f));
        return Vector512.MultiplyAddEstimate(p, r * r, r) + Vector512<float>.One;
    }
}
