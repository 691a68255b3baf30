using OrtPeft.Cli.Bench;
using OrtPeft.Tensors;

namespace OrtPeft.Cli.Tests.Bench;

public sealed class RandomRowsTests
{
    [Theory]
    [InlineData(1, 12)]
    [InlineData(0.5, 8)]
    [InlineData(0.01, 2)]
    public void Create_GivesLabelsToTheRowsEnds(double part, int expected)
    {
        var rows = RandomRows.Create(2, 7, part, 101);

        Assert.Equal(expected, rows.Sum(static r => r.SupervisedTokens));
        Assert.All(rows, static r => Assert.Equal(r.InputIds[^1], r.Labels[^1]));
        Assert.NotEqual(rows[0].InputIds, rows[1].InputIds);
    }

    [Theory]
    [InlineData(1 << 16)]
    [InlineData((1 << 16) + 1)]
    public void Create_OfMoreTokensThanAnArrayHolds_IsRefused(int length)
    {
        var error = Assert.Throws<SettingException>(
            () => RandomRows.Create(1 << 16, length, supervised: 1, vocabulary: 3));

        Assert.Contains("BatchSize", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tokens_LieInTheVocabulary()
    {
        var tokens = RandomRows.Tokens(200, 7);

        Assert.Equal([0, 1, 2, 3, 4, 5, 6], tokens.Distinct().Order());
    }
}
