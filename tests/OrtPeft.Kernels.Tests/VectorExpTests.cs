using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Tests.Widths;

namespace OrtPeft.Kernels.Tests;

public sealed class VectorExpTests
{
    /// <summary>Two units in float32's last place.</summary>
    private const double Tolerance = 2.4e-7;

    [Fact]
    public void Of_OverItsWholeRange_IsNearTheExactOne()
    {
        for (var x = -87.3; x < 88.3; x += 0.0137)
        {
            var exact = Math.Exp((float)x);

            Assert.All(EachWidth.Of<Exp>((float)x), found => Assert.True(
                Math.Abs(found - exact) <= Tolerance * exact, $"exp({(float)x:R}) = {found:R}, not {exact:R}"));
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-87.34f, 0)]
    [InlineData(float.MinValue, 0)]
    [InlineData(float.NegativeInfinity, 0)]
    [InlineData(float.NaN, float.NaN)]
    public void Of_AtTheEdges_IsExact(float x, float expected) =>
        Assert.All(EachWidth.Of<Exp>(x), found => Assert.Equal(expected, found));

    [Theory]
    [InlineData(89)]
    [InlineData(float.PositiveInfinity)]
    public void Of_BeyondItsRange_StaysLarge(float x) =>
        Assert.All(EachWidth.Of<Exp>(x), static found => Assert.InRange(found, 2e38f, 3e38f));

    [Fact]
    public void SigmoidOfNegative_OverItsWholeRange_IsNearTheExactOne()
    {
        for (var x = -87.3; x < 30; x += 0.0137)
        {
            var exact = 1 / (1 + Math.Exp(-(float)x));

            Assert.All(EachWidth.Of<Sigmoid>((float)x), found => Assert.True(
                Math.Abs(found - exact) <= 2 * Tolerance * exact, $"{(float)x:R}: {found:R}, not {exact:R}"));
        }
    }

    [Theory]
    [InlineData(0, 0.5f)]
    [InlineData(40, 1)]
    [InlineData(float.PositiveInfinity, 1)]
    [InlineData(float.NaN, float.NaN)]
    public void SigmoidOfNegative_AtTheEdges_IsExact(float x, float expected) =>
        Assert.All(EachWidth.Of<Sigmoid>(x), found => Assert.Equal(expected, found));

    [Fact]
    public void SigmoidOfNegative_OfLargeNegativeNumbers_Vanishes() =>
        Assert.All(EachWidth.Of<Sigmoid>(float.MinValue), static found => Assert.InRange(found, 0, 1e-38f));

    private readonly struct Exp : ITernaryFunction
    {
        public static T Of<T>(T x, T b, T c)
            where T : struct, IRegister<T> => VectorExp.Of(x);
    }

    private readonly struct Sigmoid : ITernaryFunction
    {
        public static T Of<T>(T x, T b, T c)
            where T : struct, IRegister<T> => VectorExp.SigmoidOfNegative(-x);
    }
}
