using OrtPeft.Models.Rotary;

namespace OrtPeft.Models.Tests.Rotary;

/// <summary>Angles held against transformers' formulas, computed by hand outside.</summary>
public sealed class RopeTypesTests
{
    private static readonly RopeScaling Yarn = new() { Type = "yarn", Factor = 4, OriginalPositions = 64 };

    [Fact]
    public void Yarn_MixesBetweenWholePairs() => AssertNear(
        [1, 0.23717082451262847, 0.05, 0.007905694150420948, 0.0025, 0.0007905694150420947, 0.00025,
            7.905694150420948e-05],
        RopeTypes.Frequencies(16, 10000, Yarn, 256).Angles);

    [Fact]
    public void Yarn_WithoutTruncation_MixesBetweenFractions() => AssertNear(
        [1, 0.19858352015369318, 0.02559524589192421, 0.007905694150420948, 0.0025, 0.0007905694150420947, 0.00025,
            7.905694150420948e-05],
        RopeTypes.Frequencies(16, 10000, Yarn with { Truncate = false }, 256).Angles);

    [Fact]
    public void Yarn_TakesItsBounds() => AssertNear(
        [1, 0.026434281586014102, 0.005590169943749474, 0.0011821770112539697],
        RopeTypes.Frequencies(
            8, 500, Yarn with { Factor = 8, OriginalPositions = 32, BetaFast = 16, BetaSlow = 2 }, 256).Angles);

    [Theory]
    [InlineData(null, 0, 0, 1.138629436111989)]
    [InlineData(null, 0.7, 0.5, 1.0259286501478284)]
    [InlineData(null, 0.7, 0, 1.138629436111989)]
    [InlineData(0.5, 0.7, 0.5, 0.5)]
    public void Yarn_TakesTheAttentionFactor(double? given, double scale, double all, double expected)
    {
        var scaling = Yarn with { AttentionFactor = given, MScale = scale, MScaleAllDim = all };

        Assert.Equal(expected, RopeTypes.Frequencies(16, 10000, scaling, 256).AttentionFactor, 1e-12);
    }

    [Fact]
    public void LongRope_DividesByOneListUpToTheOriginalLength_AndByTheOtherBehind()
    {
        var scaling = new RopeScaling
        {
            Type = "longrope",
            Factor = 4,
            OriginalPositions = 16,
            ShortFactors = new RopeFactors(1, 2),
            LongFactors = new RopeFactors(4, 5),
        };

        var frequencies = RopeTypes.Frequencies(4, 100, scaling, 64);

        AssertNear([1, 0.05], frequencies.Angles);
        AssertNear([0.25, 0.02], frequencies.LongAngles!);
        Assert.Equal((16, 1.224744871391589), (frequencies.Limit, frequencies.AttentionFactor));
        Assert.Equal(1, RopeTypes.Frequencies(4, 100, scaling with { Factor = 1 }, 64).AttentionFactor);
    }

    /// <summary>int(0.5 · 16 // 2) = 4 of 8 pairs, each 10000^(−2i/16) over the factor.</summary>
    [Fact]
    public void Proportional_TurnsAPartAsFastAsInAWholeHead() => AssertNear(
        [0.5, 0.15811388300841897, 0.05, 0.015811388300841896, 0, 0, 0, 0],
        RopeTypes.Frequencies(16, 10000, new RopeScaling { Type = "proportional", Factor = 2, Part = 0.5 }, 256).Angles);

    private static void AssertNear(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), static pair => Assert.Equal(pair.First, pair.Second, 1e-12));
    }
}
