using OrtPeft.Cli.Data;

namespace OrtPeft.Cli.Tests.Data;

public sealed class DataFileTests
{
    [Theory]
    [InlineData(1, 10)]
    [InlineData(2, 20)]
    [InlineData(0.3, 3)]
    [InlineData(1.5, 15)]
    public void Weigh_TakesRowsAsOftenAsTheWeightSays(double weight, int count)
    {
        var weighed = new DataFile("x", weight).Weigh(10).ToList();

        Assert.Equal(count, weighed.Count);
        Assert.Equal(weighed, new DataFile("x", weight).Weigh(10));
        Assert.All(
            Enumerable.Range(0, 10),
            row => Assert.InRange(weighed.Count(w => w == row), (int)weight, (int)Math.Ceiling(weight)));
    }
}
