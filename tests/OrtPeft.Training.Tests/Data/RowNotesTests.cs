using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

/// <summary>What is said of a file once: fields that are not read, and rows without anything to learn.</summary>
public sealed class RowNotesTests
{
    [Theory]
    [InlineData("""{"text":"ab","id":1}""", "id")]
    [InlineData("""{"text":"ab","b":1,"a":{"deep":1}}""", "b, a")]
    [InlineData("""{"text":"ab","labels":[1,2]}""", "labels")]
    [InlineData("""{"Text":"x","text":"ab"}""", "Text")]
    [InlineData("""{"prompt":"a","completion":"b","tools":[]}""", "tools")]
    [InlineData("""{"input_ids":[1,2],"length":2}""", "length")]
    [InlineData("""{"messages":[{"role":"assistant","content":"b"}],"tools":[{"type":"function"}]}""", "tools")]
    [InlineData("""{"messages":[{"role":"assistant","content":"b","name":"x"}]}""", "messages[].name")]
    [InlineData(
        """{"messages":[{"role":"user","content":"b","weight":1},{"role":"assistant","content":"b","weight":1}]}""",
        "messages[].weight of user turns")]
    public void Read_WhenFieldsAreNotRead_NamesThemOnce(string row, string fields)
    {
        var warnings = Warnings($"{row}\n{row}\n{{\"text\":\"x\"}}");

        Assert.Equal([$"rows.jsonl: fields without effect: {fields}."], warnings);
    }

    [Theory]
    [InlineData("""{"text":"ab","id":null}""")]
    [InlineData("""{"input_ids":[1,2],"text":"ab","messages":[],"prompt":"a"}""")]
    [InlineData("""{"input_ids":[1,2],"labels":[1,2],"attention_mask":[1,1],"position_ids":[0,1]}""")]
    [InlineData("""{"messages":[{"role":"system","content":"b","weight":0},{"role":"assistant","content":"b"}]}""")]
    public void Read_WhenFieldsAreKnown_SaysNothing(string row) => Assert.Empty(Warnings(row));

    [Fact]
    public void Read_WhenRowsHaveNothingToLearn_CountsThem()
    {
        const string rows = """
            {"text":"abc"}

            {"prompt":"a long one","completion":"b"}
            {"input_ids":[5,6],"labels":[-100,-100]}
            """;

        Assert.Equal(
            ["rows.jsonl: 2 of 3 rows have nothing to learn, 1 of them cut to SequenceLength; the first is line 3."],
            Warnings(rows, 4));
    }

    [Fact]
    public void Read_WhenEveryRowIsCut_Throws()
    {
        var error = Rows.ReadError(
            """{"prompt":"a long one","completion":"b"}""", new ExampleReaderOptions { SequenceLength = 4 });

        Assert.Contains("none of the 1 rows", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0", "............................. b\n$")]
    [InlineData("0.0", "............................. b\n$")]
    [InlineData("1", "......... a\n$.................. b\n$")]
    [InlineData("null", "......... a\n$.................. b\n$")]
    public void Read_WhenATurnHasAWeight_LearnsItWhereItIsNotZero(string weight, string supervision)
    {
        const string Row = """
            {"messages":[{"role":"assistant","content":"a","weight":WEIGHT},{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}
            """;

        var example = Assert.Single(Rows.Read(Row.Replace("WEIGHT", weight, StringComparison.Ordinal)));

        Assert.Equal(supervision.TrimStart('.'), Rows.Supervision(example).TrimStart('.'));
    }

    [Fact]
    public void Read_WhenTheLastTurnHasWeightZero_LearnsTheEarlierOnes()
    {
        const string Row = """
            {"messages":[{"role":"assistant","content":"a"},{"role":"assistant","content":"b","weight":0}]}
            """;

        Assert.Equal(".......... a\n$.............", Rows.Supervision(Assert.Single(Rows.Read(Row))));
    }

    [Theory]
    [InlineData("2")]
    [InlineData("0.5")]
    [InlineData("-1")]
    [InlineData("true")]
    [InlineData("\"1\"")]
    [InlineData("[1]")]
    public void Read_WhenAWeightIsAnother_SaysWhere(string weight)
    {
        var error = Rows.ReadError($$"""
            {"text":"x"}
            {"messages":[{"role":"system","content":"a"},{"role":"assistant","content":"a","weight":{{weight}}}]}
            """);

        Assert.StartsWith("rows.jsonl:2: messages[1].weight: the ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"text":"ab\u0000"}""", "ab$", "ab$")]
    [InlineData("""{"text":"a\u0000b"}""", "a$b$", "a$b$")]
    [InlineData("""{"prompt":"a","completion":"b\u0000"}""", "ab$", ".b$")]
    [InlineData("""{"prompt":"a\u0000","completion":""}""", "a$$", "..$")]
    public void Read_WhenTheTextEndsWithItsEnd_AddsNoSecond(string row, string text, string supervision)
    {
        var example = Assert.Single(Rows.Read(row));

        Assert.Equal(text, Rows.Text(example));
        Assert.Equal(supervision, Rows.Supervision(example));
    }

    private static List<string> Warnings(string rows, int? sequence = null)
    {
        var said = new List<string>();
        Rows.Read(rows, new ExampleReaderOptions { SequenceLength = sequence, Warn = said.Add });
        return said;
    }
}
