using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

public sealed class ExampleReaderTests
{
    [Fact]
    public void Read_WhenRowIsText_SupervisesAllAndEndsIt()
    {
        var example = Assert.Single(Rows.Read("""{"text":"abc"}"""));

        Assert.Equal("abc$", Rows.Text(example));
        Assert.Equal("abc$", Rows.Supervision(example));
        Assert.Null(example.AttentionMask);
        Assert.Null(example.PositionIds);
        Assert.Equal(("rows.jsonl", 1), (example.File, example.Line));
        Assert.Equal(3, example.SupervisedTokens);
    }

    [Fact]
    public void Read_WhenRowIsPromptAndCompletion_SupervisesTheCompletionAndTheEnd()
    {
        var example = Assert.Single(Rows.Read("""{"prompt":"Q:","completion":"yes"}"""));

        Assert.Equal("Q:yes$", Rows.Text(example));
        Assert.Equal("..yes$", Rows.Supervision(example));
    }

    [Fact]
    public void Read_WhenRowIsMessages_SupervisesTheAssistantsTurns()
    {
        const string row = """
            {"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"tool","content":""}]}
            """;

        var example = Assert.Single(Rows.Read(row));

        Assert.Equal("user: a\nassistant: b\n$tool: \n", Rows.Text(example));
        Assert.Equal(".................. b\n$.......", Rows.Supervision(example));
    }

    [Fact]
    public void Read_WhenTokenizerHasNoEnd_AppendsNone()
    {
        var example = Assert.Single(Rows.Read("""{"text":"abc"}""", new CharTokenizer(endsTexts: false)));

        Assert.Equal("abc", Rows.Text(example));
    }

    [Theory]
    [InlineData("""{"text":"abc"}""", "^abc$", "^abc$")]
    [InlineData("""{"text":"^abc"}""", "^abc$", "^abc$")]
    [InlineData("""{"prompt":"a","completion":"b"}""", "^ab$", "..b$")]
    [InlineData("""{"prompt":"","completion":"b"}""", "^b$", "^b$")]
    [InlineData("""{"text":""}""", "^$", "^$")]
    public void Read_WhenTextsBeginWithAToken_PutsItBeforeTheRowOnce(string row, string text, string supervision)
    {
        var example = Assert.Single(Rows.Read(row, new CharTokenizer(begin: '^')));

        Assert.Equal(text, Rows.Text(example));
        Assert.Equal(supervision, Rows.Supervision(example));
    }

    [Fact]
    public void Read_WhenRowIsTokens_TakesTheFieldsAsTheyStand()
    {
        const string row = """
            {"input_ids":[5,6,7],"labels":[-100,6,9],"attention_mask":[0,1,1],"position_ids":[0,0,1]}
            """;

        var example = Assert.Single(Rows.Read(row, tokenizer: null));

        Assert.Equal<int>([5, 6, 7], example.InputIds);
        Assert.Equal<int>([-100, 6, 9], example.Labels);
        Assert.Equal<int>([0, 1, 1], example.AttentionMask);
        Assert.Equal<int>([0, 0, 1], example.PositionIds);
    }

    [Fact]
    public void Read_WhenTokensHaveNoLabels_SupervisesWhatTheMaskShows()
    {
        var example = Assert.Single(Rows.Read("""{"input_ids":[5,6,7],"attention_mask":[1,1,0]}"""));

        Assert.Equal<int>([5, 6, -100], example.Labels);
    }

    [Theory]
    [InlineData("""{"text":"ab","input_ids":[5,6]}""", "input_ids before text")]
    [InlineData("""{"input_ids":[5,6],"label":"spam","id":{"deep":[1]}}""", "unknown fields are ignored")]
    [InlineData("""{"input_ids":[5,6],"labels":null,"attention_mask":null,"prompt":null}""", "null is absent")]
    public void Read_WhenRowHasMoreFields_TakesTheFirstKind(string row, string why)
    {
        var example = Assert.Single(Rows.Read(row));

        Assert.True(example.InputIds.SequenceEqual([5, 6]), why);
        Assert.True(example.Labels.SequenceEqual([5, 6]), why);
    }

    [Fact]
    public void Read_WhenLinesAreUntidy_CountsThemAll()
    {
        const string content = "\uFEFF{\"text\":\"a\"}\r\n\r\n  \t\n {\"text\":\"b\"} \r\n{\"text\":\"c\"}";

        var examples = Rows.Read(content);

        Assert.Equal(["a$", "b$", "c$"], examples.Select(Rows.Text));
        Assert.Equal([1, 4, 5], examples.Select(example => example.Line));
    }

    [Fact]
    public void Read_WhenLinesExceedTheBuffer_JoinsTheirParts()
    {
        string[] texts = [.. new[] { 3, 100_000, 0, 65_536, 300_000 }.Select(length => new string('x', length))];

        var examples = Rows.Read(string.Join('\n', texts.Select(text => $$"""{"text":"{{text}}"}""")));

        Assert.Equal(texts.Select(text => text.Length + 1), examples.Select(example => example.Length));
    }

    [Fact]
    public void Read_WhenRowExceedsTheSequenceLength_CutsEveryField()
    {
        const string row = """
            {"input_ids":[5,6,7],"labels":[5,6,7],"attention_mask":[1,1,1],"position_ids":[2,3,99]}
            """;
        var options = new ExampleReaderOptions { SequenceLength = 2, ContextLength = 8 };

        var example = Assert.Single(Rows.Read(row, options));

        Assert.Equal<int>([5, 6], example.InputIds);
        Assert.Equal<int>([5, 6], example.Labels);
        Assert.Equal<int>([1, 1], example.AttentionMask);
        Assert.Equal<int>([2, 3], example.PositionIds);
    }

    [Fact]
    public void Read_WhenOneRowHasNothingSupervised_HandsItOut()
    {
        var examples = Rows.Read("""
            {"input_ids":[5,6],"labels":[5,-100]}
            {"input_ids":[5,6]}
            """);

        Assert.Equal([0, 1], examples.Select(example => example.SupervisedTokens));
    }

    [Fact]
    public void Read_WhenFileIsEnumeratedTwice_GivesTheSameRows()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, """{"text":"ab"}""");

            var rows = new ExampleReader(new CharTokenizer()).Read(path);

            Assert.Equal("ab$", Rows.Text(Assert.Single(rows)));
            Assert.Equal("ab$", Rows.Text(Assert.Single(rows)));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
