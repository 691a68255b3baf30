using OrtPeft.Artifacts;
using OrtPeft.Tensors;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

public sealed class FixedAxesTests
{
    private static readonly TokenDataset Rows = new(
    [
        new([1, 2, 3], [1, 2, 3]),
        new([4, 5], [4, 5]),
        new([6, 7, 8], [-100, -100, -100]),
    ]);

    [Theory]
    [InlineData(null, null)]
    [InlineData(3L, null)]
    [InlineData(3L, 3L)]
    [InlineData(null, 3L)]
    public void Split_WhenTheBatchFits_GivesItBack(long? rows, long? columns)
    {
        var batch = Rows.Collate([0, 1, 2]);

        Assert.Same(batch, Assert.Single(Of(rows, columns).Split(batch)));
    }

    [Fact]
    public void Split_WhenRowsGoTwoByTwo_FillsTheLastPartWithoutLabels()
    {
        var parts = Of(2, null).Split(Rows.Collate([2, 1, 0]));

        Assert.Equal([1, 2], parts.Select(static p => p.SupervisedCount));
        Assert.Equal([1, 2, 3, 1, 2, 3], parts[1].Feeds["input_ids"].ToInt64());
        Assert.Equal([1, 2, 3, -100, -100, -100], parts[1].Feeds["labels"].ToInt64());
        Assert.Equal([1, 1, 1, 1, 1, 1], parts[1].Feeds["attention_mask"].ToInt64());
        Assert.Equal([5, 3], parts.Select(static p => p.Tokens));
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(int.MaxValue - 1L)]
    public void Split_WhenTheBatchIsAsLargeAsANumberGoes_IsRefused(long rows)
    {
        var error = Assert.Throws<SettingException>(() => Of(rows, null).Split(Rows.Collate([0, 1])));

        Assert.Contains($"[{rows}, 3]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Split_WhenAPartHasNothingToLearn_LeavesItOut()
    {
        var parts = Of(1, null).Split(Rows.Collate([0, 1, 2]));

        Assert.Equal([2, 1], parts.Select(static p => p.SupervisedCount));
    }

    [Fact]
    public void Split_WhenTheLengthIsFixed_PadsOnTheRight()
    {
        var part = Assert.Single(Of(null, 5).Split(Rows.Collate([0, 1])));

        Assert.Equal([1, 2, 3, 0, 0, 4, 5, 0, 0, 0], part.Feeds["input_ids"].ToInt64());
        Assert.Equal([1, 2, 3, -100, -100, 4, 5, -100, -100, -100], part.Feeds["labels"].ToInt64());
        Assert.Equal([1, 1, 1, 0, 0, 1, 1, 0, 0, 0], part.Feeds["attention_mask"].ToInt64());
        Assert.Equal([0, 1, 2, 3, 4, 0, 1, 2, 3, 4], part.Feeds["position_ids"].ToInt64());
        Assert.Equal((3, 5), (part.SupervisedCount, part.Tokens));
    }

    [Fact]
    public void Split_WhenRowsAreLonger_SaysHowToCutThem()
    {
        var error = Assert.Throws<TrainingDataException>(() => Of(null, 2).Split(Rows.Collate([0])));

        Assert.Contains("3 tokens", error.Message, StringComparison.Ordinal);
        Assert.Contains("SequenceLength of 2", error.Message, StringComparison.Ordinal);
    }

    private static FixedAxes Of(long? rows, long? columns) => FixedAxes.Of(
    [
        new ArtifactValue
        {
            Name = "input_ids",
            Role = ValueRoles.Data,
            Dtype = ElementType.Int64,
            Dims = [Dim(rows, "batch"), Dim(columns, "sequence")],
        },
    ]);

    private static ArtifactDim Dim(long? length, string name) =>
        length is { } fixedLength ? ArtifactDim.Of(fixedLength) : ArtifactDim.Named(name);
}
