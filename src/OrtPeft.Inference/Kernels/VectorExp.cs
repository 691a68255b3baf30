using System.Numerics;
using System.Runtime.CompilerServices;

namespace OrtPeft.Inference.Kernels;

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
    public static Vector<float> Of(Vector<float> x)
    {
        var isTooLow = Vector.LessThan(x, new Vector<float>(Lowest));
        x = Vector.ConditionalSelect(Vector.GreaterThan(x, new Vector<float>(Highest)), new Vector<float>(Highest), x);
        var n = Vector.FusedMultiplyAdd(x, new Vector<float>(Log2E), new Vector<float>(Rounder))
            - new Vector<float>(Rounder);
        var r = Vector.FusedMultiplyAdd(n, new Vector<float>(-Ln2High), x);
        r = Vector.FusedMultiplyAdd(n, new Vector<float>(-Ln2Low), r);
        var p = new Vector<float>(1.9875691500e-4f);
        p = Vector.FusedMultiplyAdd(p, r, new Vector<float>(1.3981999507e-3f));
        p = Vector.FusedMultiplyAdd(p, r, new Vector<float>(8.3334519073e-3f));
        p = Vector.FusedMultiplyAdd(p, r, new Vector<float>(4.1665795894e-2f));
        p = Vector.FusedMultiplyAdd(p, r, new Vector<float>(1.6666665459e-1f));
        p = Vector.FusedMultiplyAdd(p, r, new Vector<float>(5.0000001201e-1f));
        p = Vector.FusedMultiplyAdd(p, r * r, r) + Vector<float>.One;
        var exponent = Vector.ConvertToInt32Native(n) + new Vector<int>(ExponentBias);
        var power = Vector.AsVectorSingle(Vector.ShiftLeft(exponent, MantissaBits));
        return Vector.ConditionalSelect(isTooLow, Vector<float>.Zero, p * power);
    }

    /// <summary>1/(1 + e⁻ˣ) of each element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Sigmoid(Vector<float> x) =>
        Vector<float>.One / (Vector<float>.One + Of(-x));
}
