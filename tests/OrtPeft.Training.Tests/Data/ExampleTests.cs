using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

public sealed class ExampleTests
{
    [Fact]
    public void New_WhenThereIsNoToken_Throws()
    {
        Assert.ThrowsAny<ArgumentException>(() => new Example([], []));
    }

    [Fact]
    public void New_WhenLengthsDiffer_NamesTheArray()
    {
        var labels = Assert.ThrowsAny<ArgumentException>(() => new Example([1, 2], [1]));
        var mask = Assert.ThrowsAny<ArgumentException>(() => new Example([1, 2], [1, 2], [1, 1, 1]));
        var positions = Assert.ThrowsAny<ArgumentException>(() => new Example([1, 2], [1, 2], null, []));

        Assert.Equal("labels", labels.ParamName);
        Assert.Equal("attentionMask", mask.ParamName);
        Assert.Equal("positionIds", positions.ParamName);
    }

    [Fact]
    public void SupervisedTokens_LeavesOutTheFirstAndTheIgnored()
    {
        var example = new Example([1, 2, 3, 4], [1, -100, 3, 4]);

        Assert.Equal(2, example.SupervisedTokens);
    }
}
