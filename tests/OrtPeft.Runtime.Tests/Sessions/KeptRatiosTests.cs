using OrtPeft.Runtime.Sessions;
using OrtPeft.Testing;

namespace OrtPeft.Runtime.Tests.Sessions;

public sealed class KeptRatiosTests
{
    [Fact]
    public void Keep_WhenReadAgain_GivesTheFirstRatioOfEachName()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "new", "products.txt");

        new KeptRatios(path).Keep("a, 1 thread", 0.1 + 0.2);
        new KeptRatios(path).Keep("a, 1", 3);
        var again = new KeptRatios(path).Keep("a, 1 thread", 4);

        Assert.Equal(0.1 + 0.2, again);
        Assert.Equal(0.1 + 0.2, new KeptRatios(path).Find("a, 1 thread"));
        Assert.Equal(3, new KeptRatios(path).Find("a, 1"));
        Assert.Null(new KeptRatios(path).Find("a"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\n")]
    [InlineData("a\t1e")]
    [InlineData("a\t\n")]
    [InlineData("a\tmany\n")]
    [InlineData("a\t-1\n")]
    [InlineData("a\tNaN\n")]
    [InlineData("\0\0\0")]
    public void Find_InADamagedFile_IsNullUntilItIsKept(string content)
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "products.txt");
        File.WriteAllText(path, content);
        var ratios = new KeptRatios(path);

        Assert.Null(ratios.Find("a"));
        ratios.Keep("a", 2);

        Assert.Equal(2, ratios.Find("a"));
    }

    [Fact]
    public void Keep_WhereNothingCanBeWritten_GivesTheRatio()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "file");
        File.WriteAllText(file, "");

        Assert.Equal(2, new KeptRatios(Path.Combine(file, "products.txt")).Keep("a", 2));
        Assert.Equal(2, new KeptRatios(null).Keep("a", 2));
        Assert.Null(new KeptRatios(null).Find("a"));
    }
}
