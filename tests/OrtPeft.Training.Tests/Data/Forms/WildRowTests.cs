using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data.Forms;

public sealed class WildRowTests
{
    private const string Asked = "user: a\nassistant: b\n$";

    [Theory]
    [InlineData("""{"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]}""", Asked)]
    [InlineData("""{"messages":[{"from":"user","value":"a"},{"from":"assistant","value":"b"}]}""", Asked)]
    [InlineData("""{"conversations":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}""", Asked)]
    [InlineData("""{"conversations":"[{\"from\":\"human\",\"value\":\"a\"},{\"from\":\"gpt\",\"value\":\"b\"}]"}""", Asked)]
    [InlineData("""{"messages":"[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]"}""", Asked)]
    [InlineData("""{"instruction":"a","input":"","output":"b"}""", Asked)]
    [InlineData("""{"instruction":"a","output":"b","text":"other"}""", Asked)]
    [InlineData("""{"instruction":"a","input":null,"response":"b"}""", Asked)]
    [InlineData("""{"question":"a","answer":"b"}""", Asked)]
    [InlineData("""{"query":"a","response":"b"}""", Asked)]
    [InlineData("""{"instruction":"a","input":"i","output":"b"}""", "user: a\n\ni\nassistant: b\n$")]
    [InlineData("""{"question":"a","answer":"b","system":"s"}""", "system: s\n" + Asked)]
    [InlineData(
        """{"instruction":"a","output":"b","history":[["q","r"]]}""", "user: q\nassistant: r\n$" + Asked)]
    [InlineData(
        """{"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}],"system":"s"}""", "system: s\n" + Asked)]
    [InlineData(
        """{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant","content":"b"}]}""", Asked)]
    [InlineData("""{"question":"a","text":"t"}""", "t$")]
    [InlineData("""{"input_ids":"[97,98]"}""", "ab")]
    public void Read_OfOtherForms_GivesTheConversation(string row, string text)
    {
        var example = Assert.Single(Rows.Read(row));

        Assert.Equal(text, Rows.Text(example));
    }

    [Theory]
    [InlineData("""{"conversations":[{"from":"alien","value":"a"}]}""", "conversations[0].from: the speaker is \"alien\"")]
    [InlineData("""{"conversations":[{"from":"human","value":"a"},7]}""", "conversations[1]: the value is a number")]
    [InlineData("""{"conversations":"[{"}""", "conversations: the text is not JSON")]
    [InlineData("""{"conversations":{"from":"human"}}""", "conversations: the value is an object; expected an array")]
    [InlineData("""{"conversations":[{"from":"human","value":5}]}""", "content: the value is a number; expected a string")]
    [InlineData("""{"instruction":["a"],"output":"b"}""", "instruction: the value is an array; expected a string")]
    [InlineData("""{"instruction":"a","output":"b","history":[["q"]]}""", "history[0]: expected an array of a request")]
    [InlineData("""{"question":"a","answer":{"text":["b"]}}""", "answer: the value is an object; expected a string")]
    [InlineData(
        """{"conversations":[{"from":"system","value":"a"},{"from":"gpt","value":"b"}],"system":"s"}""",
        "system: the turns have a system text of their own")]
    [InlineData("""{"conversations":[{"from":"function_call","value":"nothing"}]}""", "conversations[0].value: the text is")]
    [InlineData(
        """{"messages":[{"role":"user","content":[{"type":"image"}]}]}""", "messages[0].content[0]: only parts of text")]
    [InlineData("""{"chosen":"a","rejected":"b"}""", "the row has none of the fields that hold data")]
    public void Read_WhenTheFormIsDamaged_NamesTheField(string row, string message)
    {
        var error = Rows.ReadError(row);

        Assert.StartsWith("rows.jsonl:1: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"dialog":[{"speaker":"customer","said":"a"},{"speaker":"assistant","said":"b"}]}""")]
    [InlineData("""{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}""")]
    public void Read_ByOwnNames_GivesTheConversation(string row)
    {
        var options = new ExampleReaderOptions
        {
            Names = new Dictionary<string, string>
            {
                ["messages"] = "dialog",
                ["role"] = "speaker",
                ["content"] = "said",
                ["user"] = "customer",
            },
        };

        Assert.Equal(Asked, Rows.Text(Assert.Single(Rows.Read(row, options))));
    }

    [Fact]
    public void Read_WhenAnOwnNameStandsBesideTheOther_Refuses()
    {
        var options = new ExampleReaderOptions { Names = new Dictionary<string, string> { ["text"] = "body" } };

        var error = Rows.ReadError("""{"text":"a","body":"b"}""", options);

        Assert.Equal("rows.jsonl:1: body: it is mapped to text, which the row has too; leave one out", error.Message);
    }

    [Fact]
    public void Read_SaysWhatItFound()
    {
        var notes = new List<string>();
        const string rows = """
            {"question":"a","answer":"b","id":7}
            {"text":"c"}
            {"question":"d","answer":"e"}
            """;

        Rows.Read(rows, new ExampleReaderOptions { Note = notes.Add });

        Assert.Equal(["rows.jsonl: 2 of questions and answers, 1 of text"], notes);
    }
}
