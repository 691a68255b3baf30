using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

/// <summary>Rows whose position ids restart are several sequences, as in HF transformers.</summary>
public sealed class PackedRowTests
{
    [Theory]
    [InlineData("0 1 2", "1 1 1", "0")]
    [InlineData("5 6 7", "1 1 1", "0")]
    [InlineData("0 1 5", "1 1 1", "0")]
    [InlineData("0 1 0 1 2", "1 1 1 1 1", "0 2")]
    [InlineData("0 1 2 1 2", "1 1 1 1 1", "0 3")]
    [InlineData("0 0 1", "1 1 1", "0 1")]
    [InlineData("0 0 0 1", "0 0 1 1", "0")]
    [InlineData("1 1 0 1", "0 0 1 1", "0")]
    [InlineData("0 1 0 0", "1 1 0 0", "0")]
    [InlineData("0 1 0 1 0 0", "1 1 1 1 0 0", "0 2")]
    public void SequenceStarts_AreWhereAttendedPositionsDoNotRise(string positions, string mask, string starts)
    {
        var ids = Numbers(positions);

        var example = new Example([.. ids], [.. ids], [.. Numbers(mask)], [.. ids]);

        Assert.Equal(Numbers(starts), example.SequenceStarts);
    }

    [Fact]
    public void SupervisedTokens_LeavesOutEverySequencesFirst()
    {
        var example = new Example([5, 6, 7, 8, 9], [5, 6, 7, -100, 9], null, [0, 1, 0, 1, 2]);

        Assert.Equal(2, example.SupervisedTokens);
    }

    [Fact]
    public void Collate_MakesARowOfEachSequence()
    {
        var packed = new Example([5, 6, 7, 8, 9], [5, 6, 7, -100, 9], null, [0, 1, 0, 1, 2]);
        var plain = new Example([1, 2], [1, 2], [0, 1], [3, 4]);

        var batch = Collator.Collate([packed, plain], padId: 99);

        Assert.Equal((3, 3), (batch.Rows(), batch.Columns()));
        Assert.Equal([5, 6, 99, 7, 8, 9, 1, 2, 99], batch.InputIds());
        Assert.Equal([5, 6, -100, 7, -100, 9, 1, 2, -100], batch.Labels());
        Assert.Equal([1, 1, 0, 1, 1, 1, 0, 1, 0], batch.AttentionMask());
        Assert.Equal([0, 1, 0, 0, 1, 2, 3, 4, 0], batch.PositionIds()!);
        Assert.Equal((3, 3, 6), (batch.SupervisedCount, batch.SupervisedFirstTokens, batch.Tokens));
    }

    [Fact]
    public void Read_WhenAPackIsLongerThanTheContext_TakesSequencesThatFit()
    {
        const string Row = """{"input_ids":[1,2,3,4,5],"position_ids":[0,1,2,0,1]}""";

        Assert.Equal(5, Assert.Single(Rows.Read(Row, new ExampleReaderOptions { ContextLength = 3 })).Length);
        Assert.Contains(
            "3 tokens, but the model has 2",
            Rows.ReadError(Row, new ExampleReaderOptions { ContextLength = 2 }).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void LengthOf_CountsThePaddingOfAPack()
    {
        var data = new TokenDataset([new([5, 6, 7, 8], [5, 6, 7, 8], null, [0, 1, 2, 0])]);

        Assert.Equal(6, data.LengthOf(0));
        Assert.Equal(2, data.SupervisedTokensOf(0));
    }

    private static int[] Numbers(string text) => [.. text.Split(' ').Select(int.Parse)];
}
