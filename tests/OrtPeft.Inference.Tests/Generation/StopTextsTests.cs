using OrtPeft.Inference.Generation;

namespace OrtPeft.Inference.Tests.Generation;

public sealed class StopTextsTests
{
    [Theory]
    [InlineData("ab|cd", "x", "ab|cd")]
    [InlineData("ab|cd", "bc", "a")]
    [InlineData("ab|cd", "bx", "a|bcd")]
    [InlineData("ab|b|cd", "bc", "a|b")]
    [InlineData("ab", "bc", "a|b")]
    [InlineData("abc", "c,b", "a")]
    [InlineData("stop|it", "stop", "")]
    public void Until_EndsWhereAStopTextBegins(string pieces, string stops, string expected)
    {
        var found = pieces.Split('|').Until(stops.Split(','));

        Assert.Equal(expected, string.Join('|', found));
    }

    [Fact]
    public void Until_AsksForNoPieceAfterTheStop()
    {
        static IEnumerable<string> Pieces()
        {
            yield return "a.";
            throw new InvalidOperationException("A piece too many.");
        }

        Assert.Equal(["a"], Pieces().Until(["."]));
    }

    [Fact]
    public void Until_AnEmptyText_Throws() => Assert.Throws<ArgumentException>(() => new[] { "a" }.Until([""]));
}
