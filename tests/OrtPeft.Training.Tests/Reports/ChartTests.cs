using System.Text;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Reports;

namespace OrtPeft.Training.Tests.Reports;

public sealed class ChartTests
{
    [Theory]
    [InlineData(0.0, 6.4, new[] { 0.0, 2, 4, 6 })]
    [InlineData(-1.0, 1.0, new[] { -1.0, -0.5, 0, 0.5, 1 })]
    [InlineData(0.0, 2e-4, new[] { 0, 5e-5, 1e-4, 1.5e-4, 2e-4 })]
    [InlineData(7.0, 7.0, new[] { 4.0, 6, 8, 10 })]
    [InlineData(0.0, 0.0, new[] { -1.0, -0.5, 0, 0.5, 1 })]
    public void Axis_OfValues_HasRoundTicks(double least, double most, double[] ticks) =>
        Near(ticks, ChartAxis.OfValues([least, most], mayBeOfPowers: false).Ticks);

    [Theory]
    [InlineData(0.05, 6.0, new[] { 0.05, 0.1, 0.2, 0.5, 1, 2, 5 })]
    [InlineData(1e-3, 1e6, new[] { 0.01, 1, 100, 1e4, 1e6 })]
    public void Axis_OfValuesThatDifferByMuch_IsOfPowers(double least, double most, double[] ticks)
    {
        var axis = ChartAxis.OfValues([least, most], mayBeOfPowers: true);

        Assert.True(axis.IsOfPowers);
        Near(ticks.Where(t => t >= axis.Least && t <= axis.Most), axis.Ticks.Where(t => t <= most * 1.01));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(-0.1)]
    public void Axis_OfValuesThatHaveNoRatio_IsNotOfPowers(double least) =>
        Assert.False(ChartAxis.OfValues([least, 100], mayBeOfPowers: true).IsOfPowers);

    [Fact]
    public void Curve_OfManyPoints_KeepsPeaksAndEnds()
    {
        (double X, double Y)[] points = [.. Enumerable.Range(1, 100_000).Select(static i => ((double)i, Math.Sin(i)))];
        points[33_333].Y = 50;
        points[66_666].Y = -50;

        var thinned = new Curve("", "", points).Thinned();

        Assert.InRange(thinned.Count, 400, 1600);
        Assert.Equal(points[0], thinned[0]);
        Assert.Equal(points[^1], thinned[^1]);
        Assert.Contains(points[33_333], thinned);
        Assert.Contains(points[66_666], thinned);
        Assert.Equal(thinned.OrderBy(static p => p.X), thinned);
    }

    [Fact]
    public void Chart_OfNumbersThatAreNone_BreaksTheLine()
    {
        var page = new StringBuilder();

        Chart.Add(page, "t", "", new Curve(
            "c", "c0", [(1, 1), (2, 2), (3, double.NaN), (4, double.PositiveInfinity), (5, -double.MaxValue), (6, 1), (7, 2)]));

        Assert.Contains("d=\"M0 288.9L166.7 11.1M833.3 288.9L1000 11.1\"", page.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", page.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Chart_OfNothing_IsLeftOut()
    {
        var page = new StringBuilder();

        Chart.Add(page, "t", "", new Curve("c", "c0", [(1, double.NaN)]), new Curve("d", "c1", []));

        Assert.Equal("", page.ToString());
    }

    [Fact]
    public void Mean_BeginsAtTheFirstValueAndPassesOverWhatIsNoNumber()
    {
        var mean = new RunningMean(3);

        Assert.True(double.IsNaN(mean.Add(double.NaN)));
        Assert.Equal(4, mean.Add(4));
        Assert.Equal(4, mean.Add(double.PositiveInfinity));
        Assert.Equal(((4 * 0.5) + 8) / 1.5, mean.Add(8), 1e-12);
    }

    private static void Near(IEnumerable<double> expected, IEnumerable<double> found) => Assert.Equal(
        expected.Select(static v => Math.Round(v, 9)), found.Select(static v => Math.Round(v, 9)));
}
