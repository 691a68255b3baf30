using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Tests.Widths;

namespace OrtPeft.Kernels.Tests;

public sealed class VectorNormalTests
{
    /// <summary>Two units in float32's last place below 1.</summary>
    private const double Tolerance = 1.2e-7;

    /// <summary>Of small numbers.</summary>
    private const double Relative = 3e-5;

    [Fact]
    public void Of_OverItsWholeRange_IsNearTheExactOne()
    {
        for (var x = -15.0; x < 15; x += 0.00137)
        {
            var exact = Phi((float)x);

            Assert.All(EachWidth.Of<Normal>((float)x), found => Assert.True(
                Math.Abs(found - exact) <= Math.Min(Tolerance, (Relative * exact) + 1e-38),
                $"Φ({(float)x:R}) = {found:R}, not {exact:R}"));
        }
    }

    [Fact]
    public void Of_OverItsWholeRange_GivesTheDensity()
    {
        for (var x = -15.0; x < 15; x += 0.0137)
        {
            var exact = Math.Exp(-0.5 * (float)x * (float)x) / Math.Sqrt(2 * Math.PI);

            Assert.All(EachWidth.Of<NormalDensity>((float)x), density => Assert.True(
                Math.Abs(density - exact) <= (Relative * exact) + 1e-38,
                $"φ({(float)x:R}) = {density:R}, not {exact:R}"));
        }
    }

    [Theory]
    [InlineData(0, 0.5f, 0.39894228f)]
    [InlineData(-14, 0, 0)]
    [InlineData(float.MinValue, 0, 0)]
    [InlineData(float.NegativeInfinity, 0, 0)]
    [InlineData(14, 1, 0)]
    [InlineData(float.MaxValue, 1, 0)]
    [InlineData(float.PositiveInfinity, 1, 0)]
    [InlineData(float.NaN, float.NaN, float.NaN)]
    public void Of_AtTheEdges_IsExact(float x, float expected, float expectedDensity)
    {
        Assert.All(EachWidth.Of<Normal>(x), phi => Assert.Equal(expected, phi));
        Assert.All(EachWidth.Of<NormalDensity>(x), density => Assert.Equal(expectedDensity, density));
    }

    /// <summary>½·erfc(−x/√2): the series of erf where x is small, else the continued fraction of erfc.</summary>
    private static double Phi(double x)
    {
        var tail = Math.Abs(x) < 3 ? 0.5 - Series(Math.Abs(x)) : Fraction(Math.Abs(x));
        return x < 0 ? tail : 1 - tail;
    }

    /// <summary>φ(x)·(x + x³/3 + x⁵/(3·5) + …).</summary>
    private static double Series(double x)
    {
        var (term, sum) = (x, x);
        for (var n = 3; n < 200; n += 2)
        {
            term *= x * x / n;
            sum += term;
        }

        return Density(x) * sum;
    }

    /// <summary>φ(x)/(x + 1/(x + 2/(x + 3/(x + …)))).</summary>
    private static double Fraction(double x)
    {
        var below = x;
        for (var n = 200; n > 0; n--)
            below = x + (n / below);
        return Density(x) / below;
    }

    private static double Density(double x) => Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);

    private readonly struct Normal : ITernaryFunction
    {
        public static T Of<T>(T x, T b, T c)
            where T : struct, IRegister<T> => VectorNormal.Of(x, out _);
    }

    private readonly struct NormalDensity : ITernaryFunction
    {
        public static T Of<T>(T x, T b, T c)
            where T : struct, IRegister<T>
        {
            _ = VectorNormal.Of(x, out var density);
            return density;
        }
    }
}
