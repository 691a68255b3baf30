using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>Evaluations that answer, compare and choose.</summary>
public sealed class EvalAnswersTests : IClassFixture<Workplace>
{
    private readonly Workplace _place;
    private readonly string _rows;
    private readonly string _adapter;

    public EvalAnswersTests(Workplace place)
    {
        _place = place;
        _rows = place.Write("asked.jsonl", string.Join('\n', Enumerable.Range(0, 6).Select(
            static i => $$"""{"prompt":"the cat number {{i}}","completion":" sat on the mat"}""")));
        _adapter = place["taught"];
        if (!Directory.Exists(_adapter))
        {
            CliRun.Of(
                "train", place.Model, "--data", _rows, "--out", _adapter, "--threads", "1", "--rank", "8", "--target",
                "all-linear", "--lr", "0.005", "--steps", "60", "--batch-size", "6", "--json").Succeeded();
        }
    }

    [Fact]
    public void Eval_WithAnswers_ScoresThem()
    {
        var file = _place["answers.jsonl"];

        var run = Eval("--adapter", _adapter, "--generate", "--answers", file, "--token-accuracy", "--json").Succeeded();

        Assert.Equal(1, (double)run.Json["exact_match"]!);
        Assert.Equal(1, (double)run.Json["rouge_l"]!);
        Assert.Equal(0, (double)run.Json["json_valid"]!);
        Assert.Equal(1, (double)run.Json["token_accuracy"]!);
        var answers = File.ReadAllLines(file).Select(static line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(6, answers.Length);
        Assert.Equal("the cat number 0", (string)answers[0]["prompt"]!);
        Assert.Equal(" sat on the mat", (string)answers[0]["expected"]!);
        Assert.Equal("sat on the mat", ((string)answers[0]["answer"]!).Trim());
        Assert.Equal(1, (int)answers[0]["line"]!);
    }

    [Fact]
    public void Eval_Comparing_MeasuresAllOnTheSameRows()
    {
        var single = Eval("--adapter", _adapter, "--json").Succeeded().Json;

        var run = Eval("--compare", $"base,{_adapter}", "--generate", "--metric-rows", "3", "--json").Succeeded().Json;
        var table = Eval("--compare", $"base,{_adapter}").Succeeded().Output;

        var models = run["models"]!.AsArray();
        Assert.Equal(["base", "taught"], models.Select(static m => (string)m!["model"]!));
        Assert.Equal((double)single["loss"]!, (double)models[1]!["loss"]!, 1e-9);
        Assert.True((double)models[0]!["loss"]! > (double)models[1]!["loss"]!);
        Assert.Equal(3, models[1]!["answers"]!.AsArray().Count);
        Assert.Matches(@"model +loss +perplexity +time\nbase +\d.*\ntaught +\d.*\nAll on the same 6 rows\.", table);
    }

    [Fact]
    public void Eval_OfRowsWithChoices_ScoresThemByLikelihood()
    {
        var rows = _place.Write("choices.jsonl", string.Join('\n', [
            """{"prompt":"the cat number 1","choices":["ran off and on","sat on the mat"],"answer":1}""",
            """{"ctx":"the cat number 2 ","endings":["sat on the mat","the dog and cat"],"label":"0"}""",
            """{"query":"the cat number 3","choices":{"text":["ran off and on","sat on the mat"],"label":["1","2"]},"answerKey":"2"}""",
            """{"prompt":"the cat number 4","choices":["sat on the mat","and the dog"],"answer":"B"}""",
        ]));

        var run = CliRun.Of("eval", _place.Model, "--data", rows, "--compare", $"base,{_adapter}", "--json").Succeeded();

        var taught = run.Json["models"]![1]!;
        Assert.Equal(0.75, (double)taught["acc"]!);
        Assert.Equal(0.75, (double)taught["acc_norm"]!);
        Assert.False(taught.AsObject().ContainsKey("loss"));
    }

    /// <summary>The sums are those of the losses of rows with prompt and completion.</summary>
    [Fact]
    public void Eval_OfRowsWithChoices_AddsUpLogProbabilities()
    {
        var choices = _place.Write("one.jsonl", """{"prompt":"the cat number 1","choices":["sat on the mat","ran"],"answer":0}""");
        var row = _place.Write("same.jsonl", """{"prompt":"the cat number 1","completion":" sat on the mat"}""");

        var run = CliRun.Of("eval", _place.Model, "--data", choices, "--json").Succeeded();
        var loss = CliRun.Of("eval", _place.Model, "--data", row, "--json").Succeeded().Json;

        var found = (double)run.Json["answers"]![0]!["log_likelihoods"]![0]!;
        // The row has the end of the text beside.
        Assert.InRange(-found, 1, (double)loss["loss"]! * (int)loss["tokens"]!);
    }

    [Theory]
    [InlineData("""{"prompt":"a","choices":["x"],"answer":0}""", "choices", "two texts or more")]
    [InlineData("""{"prompt":"a","choices":["x","y"],"answer":2}""", "answer", "2 is not a choice")]
    [InlineData("""{"prompt":"a","choices":["x","y"],"answer":"z"}""", "answer", "is not a choice")]
    [InlineData("""{"prompt":"a","choices":["x","y"]}""", "no answer", "answer")]
    [InlineData("""{"choices":["x","y"],"answer":0}""", "no text to answer", "question")]
    public void Eval_OfABadRowWithChoices_SaysWhere(string row, params string[] parts) =>
        CliRun.Of("eval", _place.Model, "--data", _place.Write("bad.jsonl", row)).Refused(2, ["bad.jsonl:1", .. parts]);

    [Theory]
    [InlineData("--metric-rows", "3", "give --generate")]
    [InlineData("--answers", "x.jsonl", "give --generate")]
    [InlineData("--compare", "base", "give two or more")]
    [InlineData("--compare", "base,base", "give two or more")]
    public void Eval_WithAnOptionThatCannotWork_SaysWhy(string option, string value, string reason) =>
        Eval(option, value).Refused(2, option, reason);

    [Fact]
    public void Eval_OfTextsWithoutAPrompt_RefusesToAnswer() =>
        CliRun.Of("eval", _place.Model, "--data", _place["text.jsonl"], "--generate").Refused(2, "No row has a prompt");

    private CliRun Eval(params string[] options) =>
        CliRun.Of(["eval", _place.Model, "--data", _rows, "--threads", "1", .. options]);
}
