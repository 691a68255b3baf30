using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class TokenizeTests(Workplace place) : IClassFixture<Workplace>
{
    private const string Strings = """["the cat", "", "the <|endoftext|> end"]""";

    [Fact]
    public void Tokenize_OfAList_GivesARowForEach()
    {
        var file = place.Write("strings.json", Strings);

        var rows = CliRun.Of("tokenize", "--tokenizer", place.Model, "--file", file, "--json").Succeeded().Json["rows"]!;

        Assert.Equal(3, rows.AsArray().Count);
        Assert.Equal("the cat", (string)rows[0]!["text"]!);
        Assert.Empty(rows[1]!["input_ids"]!.AsArray());
        Assert.Equal("the <|endoftext|> end", (string)rows[2]!["text"]!);
        Assert.Equal("the  end", (string)rows[2]!["text_skip_special"]!);
    }

    [Fact]
    public void Tokenize_OfJsonLines_GivesTheSame()
    {
        var list = place.Write("list.json", Strings);
        var lines = place.Write("lines.jsonl", string.Join('\n',
            JsonNode.Parse(Strings)!.AsArray().Select(static s => new JsonObject { ["text"] = (string)s! }.ToJsonString())));

        Assert.Equal(Output(list), Output(lines));

        string Output(string file) =>
            CliRun.Of("tokenize", "--tokenizer", place.Model, "--file", file, "--json").Succeeded().Output;
    }

    [Fact]
    public void Tokenize_OfATextOnTheCommandLine_ShowsPiecesAndMarksSpecialOnes()
    {
        var output = CliRun.Of("tokenize", "--tokenizer", place.Model, "the cat<|endoftext|>").Succeeded().Output;

        Assert.Contains("\"Ġcat\"", output, StringComparison.Ordinal);
        Assert.Contains("\"<|endoftext|>\"  special", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[1]", "entry 1", "no string")]
    [InlineData("""["\ud800"]""", "entry 1", "surrogate")]
    [InlineData("""{"txt":"a"}""", "line 1", "\"text\"")]
    [InlineData("[", "not JSON", "list of strings")]
    public void Tokenize_OfAFileThatIsNoTexts_NamesThePlace(string content, string where, string problem)
    {
        var file = place.Write("bad.json", content);

        CliRun.Of("tokenize", "--tokenizer", place.Model, "--file", file, "--json").Refused(2, where, problem);
    }

    [Fact]
    public void Tokenize_OfNothing_SaysWhatToGive() =>
        CliRun.Of("tokenize", "--tokenizer", place.Model).Refused(2, "--file");
}
