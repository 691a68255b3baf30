using System.Text;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

public sealed class ExampleReaderErrorTests
{
    private static readonly ExampleReaderOptions Limits = new() { ContextLength = 4, VocabularySize = 200 };

    [Theory]
    [InlineData("""{"input_ids":[]}""", "rows.jsonl:1: input_ids: the array is empty; leave the row out")]
    [InlineData("""{"input_ids":7}""", "rows.jsonl:1: input_ids: the value is a number; expected an array")]
    [InlineData(
        """{"input_ids":[1,2.5]}""", "rows.jsonl:1: input_ids: value 1 is \"2.5\"; expected a 32-bit whole number")]
    [InlineData(
        """{"input_ids":[1,4294967297]}""",
        "rows.jsonl:1: input_ids: value 1 is \"4294967297\"; expected a 32-bit whole number")]
    [InlineData(
        """{"input_ids":[1,200]}""",
        "rows.jsonl:1: input_ids: token 1 has the value 200; expected 0..199, an id of this model's tokenizer")]
    [InlineData(
        """{"input_ids":[-1,1]}""",
        "rows.jsonl:1: input_ids: token 0 has the value -1; expected 0..199, an id of this model's tokenizer")]
    [InlineData(
        """{"input_ids":[1,2],"labels":[1,-1]}""",
        "rows.jsonl:1: labels: token 1 has the value -1; expected -100 or 0..199, an id of this model's tokenizer")]
    [InlineData(
        """{"input_ids":[1,2],"labels":[1]}""",
        "rows.jsonl:1: labels: 1 values, but input_ids has 2; give one for each token")]
    [InlineData(
        """{"input_ids":[1,2],"attention_mask":[1,2]}""",
        "rows.jsonl:1: attention_mask: token 1 has the value 2; expected 0 or 1")]
    [InlineData(
        """{"input_ids":[1,2],"attention_mask":[1,1,1]}""",
        "rows.jsonl:1: attention_mask: 3 values, but input_ids has 2; give one for each token")]
    [InlineData(
        """{"input_ids":[1,2],"position_ids":[0,4]}""",
        "rows.jsonl:1: position_ids: token 1 has the value 4; expected 0..3, a position")]
    [InlineData(
        """{"input_ids":[1,2,3,4,5]}""",
        "rows.jsonl:1: input_ids: 5 tokens, but the model has 4 positions; SequenceLength 4 truncates rows")]
    [InlineData(
        """{"text":"abcd"}""", "rows.jsonl:1: text: 5 tokens, but the model has 4 positions; SequenceLength 4 truncates rows")]
    [InlineData("""{"text":5}""", "rows.jsonl:1: text: the value is a number; expected a string")]
    [InlineData("""{"prompt":"a"}""", "rows.jsonl:1: completion: missing; expected a string")]
    [InlineData("""{"completion":"a"}""", "rows.jsonl:1: prompt: missing; expected a string")]
    [InlineData("""{"messages":[5]}""", "rows.jsonl:1: messages[0]: the value is a number; expected an object")]
    [InlineData("""{"messages":[{"role":"user"}]}""", "rows.jsonl:1: messages[0].content: missing; expected a string")]
    [InlineData(
        """{"messages":[{"role":"asistant\n","content":"a"}]}""",
        "rows.jsonl:1: messages[0].role: the role is \"asistant\\n\"; expected one of assistant, user, system, " +
        "developer, tool")]
    [InlineData("""{"messages":[]}""", "rows.jsonl:1: messages: it holds no text; leave the row out")]
    [InlineData("{}\n[1]", "rows.jsonl:1: the row has none of the fields that hold data; give text, prompt and completion, " +
        "messages, conversations, instruction and output, question and answer, or input_ids, or set " +
        "ExampleReaderOptions.Names")]
    [InlineData("{\"text\":\"a\"}\n[1]", "rows.jsonl:2: the row is an array; expected an object")]
    [InlineData(
        """{"text":"\ud800"}""", "rows.jsonl:1: text: the string is not valid Unicode; write the file as UTF-8")]
    [InlineData("""{"\ud800":1}""", "rows.jsonl:1: a field name is not valid Unicode; write the file as UTF-8")]
    [InlineData("\n{\"text\":\"é\",,}", "rows.jsonl:2:13: not valid JSON; give one JSON object a line")]
    [InlineData("{\"text\":", "rows.jsonl:1:9: not valid JSON; give one JSON object a line")]
    [InlineData("\n\n", "rows.jsonl: the file has no rows; give at least one JSON object")]
    [InlineData(
        """{"input_ids":[1,2],"labels":[1,-100]}""",
        "rows.jsonl: none of the 1 rows contains a token to learn; check labels, completions, weights and SequenceLength")]
    public void Read_WhenDataIsWrong_SaysWhatWhereAndWhatToDo(string content, string message)
    {
        var error = Rows.ReadError(content, Limits);

        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void Read_WhenTextHasNoTokenizer_NamesTheOption()
    {
        var error = Assert.Throws<TrainingDataException>(() => Rows.Read("""{"text":"a"}""", tokenizer: null));

        Assert.Equal(
            "rows.jsonl:1: text: a row of text needs a tokenizer; pass one to ExampleReader", error.Message);
        Assert.Equal(("rows.jsonl", 1, "text"), (error.File, error.Line, error.Field));
    }

    [Fact]
    public void Read_WhenBytesAreNotUtf8_Throws()
    {
        byte[] content = [.. Encoding.ASCII.GetBytes("{\"text\":\""), 0xFF, .. Encoding.ASCII.GetBytes("\"}")];

        var error = Assert.Throws<TrainingDataException>(() => Rows.Read(content, new CharTokenizer()));

        Assert.Equal(("rows.jsonl", 1), (error.File, error.Line));
    }

    [Fact]
    public void Read_WhenALineNeverEnds_StopsReading()
    {
        using var stream = new EndlessStream();

        var error = Assert.Throws<TrainingDataException>(
            () => new ExampleReader(null).Read(stream, "zeros").Count());

        Assert.Equal("zeros:1: the line is longer than 67108864 bytes; give one row a line", error.Message);
    }

    [Theory]
    [InlineData("no-such-file.jsonl")]
    [InlineData(".")]
    public void Read_WhenFileCannotBeOpened_NamesIt(string path)
    {
        var error = Assert.Throws<TrainingDataException>(() => new ExampleReader(null).Read(path).Count());

        Assert.StartsWith($"{path}: cannot be opened (", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, error.Line);
    }

    [Fact]
    public void New_WhenRowsAreCutAboveTheContext_Throws()
    {
        var options = new ExampleReaderOptions { SequenceLength = 2048, ContextLength = 1024 };

        var error = Assert.ThrowsAny<ArgumentException>(() => new ExampleReader(null, options));

        Assert.Contains("2048", error.Message, StringComparison.Ordinal);
        Assert.Contains("give 1024 or less", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void New_WhenRowsAreCutToOneToken_Throws()
    {
        var options = new ExampleReaderOptions { SequenceLength = 1 };

        Assert.ThrowsAny<ArgumentException>(() => new ExampleReader(null, options));
    }

    private sealed class EndlessStream : MemoryStream
    {
        public override int Read(byte[] buffer, int offset, int count)
        {
            buffer.AsSpan(offset, count).Fill((byte)'0');
            return count;
        }
    }
}
