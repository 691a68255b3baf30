using OrtPeft.Adapters.Weighted;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Adapters.Tests.Weighted;

public sealed class TaskVectorsTests
{
    private static readonly double[][] Vectors =
    [
        [0.1, -2, 3, 0.5, -0.2, 0],
        [0.3, 1, -1, 0.5, -0.9, 2],
        [-0.2, 1.5, -1, 0.5, 0.4, -2],
    ];

    private static readonly double[] Weights = [1, 0.5, 2];

    [Fact]
    public void Sum_IsTheWeightedSum()
    {
        var sum = TaskVectors.Sum(Vectors, Weights);

        double[] expected = [0.1 + 0.15 - 0.4, 1.5, 3 - 0.5 - 2, 0.5 + 0.25 + 1, -0.2 - 0.45 + 0.8, 1 - 4];
        Assert.Equal(expected, sum, Near);
    }

    [Theory]
    [InlineData(0.5, new[] { 0, -2, 3, 0.5, 0, 0 })]
    [InlineData(0.34, new[] { 0, -2.0, 3, 0, 0, 0 })]
    [InlineData(0.1, new[] { 0.0, 0, 0, 0, 0, 0 })]
    [InlineData(1, new[] { 0.1, -2, 3, 0.5, -0.2, 0 })]
    public void Trimmed_KeepsTheLargest(double density, double[] expected)
    {
        var kept = TaskVectors.Trimmed(Vectors[0], density);

        Assert.Equal(expected, kept);
    }

    [Fact]
    public void DisjointMean_ByTotal_AveragesThoseOfTheSumsSign()
    {
        var mean = TaskVectors.DisjointMean(Vectors, Weights, "total");

        // the sums are 0.2, 0.5, 1, 1.5, -0.7 and 0, which counts as positive
        double[] expected =
            [(0.1 + 0.15) / 2, (0.5 + 3) / 2, 3, (0.5 + 0.25 + 1) / 3, (-0.2 - 0.45) / 2, 1];
        Assert.Equal(expected, mean, Near);
    }

    [Fact]
    public void DisjointMean_ByFrequency_AveragesThoseOfTheMostFrequentSign()
    {
        var mean = TaskVectors.DisjointMean(Vectors, Weights, "frequency");

        double[] expected =
            [(0.1 + 0.15) / 2, (0.5 + 3) / 2, (-0.5 - 2) / 2, (0.5 + 0.25 + 1) / 3, (-0.2 - 0.45) / 2, 1];
        Assert.Equal(expected, mean, Near);
    }

    [Fact]
    public void Dropped_KeepsAboutThatPartAndItsMean()
    {
        var ones = Enumerable.Repeat(1.0, 10_000).ToArray();

        var kept = TaskVectors.Dropped(ones, 0.25, new SplitMix64(3, "x"));

        Assert.All(kept, static v => Assert.True(v is 0 or 4));
        Assert.InRange(kept.Average(), 0.93, 1.07); // four standard deviations, √(0.25·0.75/10000)/0.25
    }

    [Fact]
    public void Dropped_WithDensityOne_KeepsAll()
    {
        var kept = TaskVectors.Dropped(Vectors[1], 1, new SplitMix64(3, "x"));

        Assert.Equal(Vectors[1], kept);
    }

    /// <summary>float64 sums of three terms in another order.</summary>
    private static bool Near(double expected, double actual) => Math.Abs(expected - actual) < 1e-14;
}
