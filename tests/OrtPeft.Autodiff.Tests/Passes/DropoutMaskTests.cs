using Microsoft.ML.OnnxRuntime;

namespace OrtPeft.Autodiff.Tests.Passes;

/// <summary>
/// Bounds are five standard deviations, which chance passes once in 1.7 million; the seeds are fixed, so that a pass
/// stays a pass.
/// </summary>
public sealed class DropoutMaskTests
{
    private const double Bound = 5;

    public static TheoryData<double, long> RatiosAndSeeds => new()
    {
        { 0.1, 0 }, { 0.1, 1 }, { 0.1, 1L << 40 }, { 0.5, 0 }, { 0.5, 12345 }, { 0.5, -1 }, { 0.05, long.MinValue },
    };

    [Theory]
    [MemberData(nameof(RatiosAndSeeds))]
    public void ForTraining_WhenRun_KeepsTheStatedFraction(double ratio, long seed)
    {
        var mask = DropoutMask.Of(ratio, seed)[0];

        Assert.InRange(mask.FractionDeviations(ratio), -Bound, Bound);
    }

    [Theory]
    [MemberData(nameof(RatiosAndSeeds))]
    public void ForTraining_WhenRun_KeepsRowsColumnsAndPatternsEvenly(double ratio, long seed)
    {
        var mask = DropoutMask.Of(ratio, seed)[0];

        Assert.InRange(mask.ChiSquareDeviations(static i => i / DropoutMask.Width, DropoutMask.Width), -Bound, Bound);
        Assert.InRange(mask.ChiSquareDeviations(static i => i % DropoutMask.Width, DropoutMask.Width), -Bound, Bound);
        Assert.InRange(mask.ChiSquareDeviations(static i => i / 64, mask.Kept.Count / 64), -Bound, Bound);
        Assert.InRange(mask.ChiSquareDeviations(static i => i % 64, 64), -Bound, Bound);
        if (ratio > 0.1)
            Assert.InRange(mask.PatternDeviations(), -Bound, Bound);
    }

    [Theory]
    [MemberData(nameof(RatiosAndSeeds))]
    public void ForTraining_WhenElementsLieAStrideApart_KeepsThemIndependently(double ratio, long seed)
    {
        var mask = DropoutMask.Of(ratio, seed)[0];
        var powers = Enumerable.Range(0, 17).Select(static k => 1 << k);
        int[] fibonacci = [13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181, 6765, 10946, 17711, 75025];
        int[] strides = [.. powers, .. fibonacci, 3, 5, 6, 7, 9, 511, 513, 768, 2304, 3072];

        var deviations = strides.Select(mask.CorrelationDeviations).ToArray();

        Assert.All(deviations, static d => Assert.InRange(d, -Bound, Bound));
        // The mean square of independent deviations is 1 ± √(2/strides); far less would be a pattern too.
        Assert.InRange(deviations.Average(static d => d * d), 0.3, 2);
    }

    [Fact]
    public void ForTraining_WhenSeedIsTheSame_Repeats()
    {
        var first = DropoutMask.Of(0.5, 7)[0];

        var second = DropoutMask.Of(0.5, 7)[0];

        Assert.Equal(first.Kept, second.Kept);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(7, 1L << 32)]
    [InlineData(1, -1)]
    public void ForTraining_WhenSeedIsAnother_DrawsIndependently(long seed, long other)
    {
        var first = DropoutMask.Of(0.5, seed)[0];

        var second = DropoutMask.Of(0.5, other)[0];

        Assert.InRange(first.CorrelationDeviations(second), -Bound, Bound);
    }

    [Fact]
    public void ForTraining_WhenModelHasSeveralDropouts_DrawsIndependently()
    {
        var masks = DropoutMask.Of(0.5, 3, dropouts: 4);

        var pairs = masks.SelectMany((a, i) => masks.Skip(i + 1).Select(a.CorrelationDeviations)).ToArray();

        Assert.Equal(6, pairs.Length);
        Assert.All(pairs, static d => Assert.InRange(d, -Bound, Bound));
    }

    [Theory]
    [InlineData(GraphOptimizationLevel.ORT_ENABLE_BASIC)]
    [InlineData(GraphOptimizationLevel.ORT_ENABLE_EXTENDED)]
    [InlineData(GraphOptimizationLevel.ORT_ENABLE_ALL)]
    public void ForTraining_WhenOptimized_KeepsTheMask(GraphOptimizationLevel level)
    {
        var expected = DropoutMask.Of(0.1, 7)[0];

        var optimized = DropoutMask.Of(0.1, 7, optimization: level)[0];

        Assert.Equal(expected.Kept, optimized.Kept);
    }
}
