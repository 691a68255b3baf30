using OrtPeft.Cli.Data;
using OrtPeft.Training.Data;

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
        Example[] rows = [.. Enumerable.Range(0, 10).Select(static i => new Example([i, i], [i, i]))];

        var weighed = new DataFile("x", weight).Weigh(rows).ToList();

        Assert.Equal(count, weighed.Count);
        Assert.Equal(weighed, new DataFile("x", weight).Weigh(rows));
        Assert.All(rows, row => Assert.InRange(weighed.Count(w => w == row), (int)weight, (int)Math.Ceiling(weight)));
    }
}
