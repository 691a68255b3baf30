using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

public sealed class OverlongRowsTests
{
    private const string Row = """{"prompt":"ab","completion":"cdef"}""";

    [Theory]
    [InlineData(OverlongRows.Cut, new[] { "..c" })]
    [InlineData(OverlongRows.CutStart, new[] { "ef$" })]
    [InlineData(OverlongRows.Split, new[] { "..c", "def", "$" })]
    public void Read_OfAnOverlongRow_FollowsTheRule(OverlongRows rule, string[] expected)
    {
        var rows = Rows.Read(Row, new ExampleReaderOptions { SequenceLength = 3, Overlong = rule });

        Assert.Equal(expected, rows.Select(Rows.Supervision));
        Assert.All(rows, static row => Assert.Equal(1, row.Line));
    }

    [Fact]
    public void Read_WhenOverlongRowsAreAnError_NamesTheRow()
    {
        var error = Rows.ReadError(
            Row, new ExampleReaderOptions { SequenceLength = 3, Overlong = OverlongRows.Error });

        Assert.StartsWith(
            "rows.jsonl:1: prompt: 7 tokens, but rows may have 3", error.Message, StringComparison.Ordinal);
    }
}
