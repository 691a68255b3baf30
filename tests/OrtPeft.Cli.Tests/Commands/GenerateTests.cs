using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>Conversations, files of prompts, several answers, and what the model's own settings decide.</summary>
public sealed class GenerateTests : IClassFixture<Workplace>
{
    private const string Template =
        "{% for m in messages %}{{ m.role[0] }}:{{ m.content }} {% endfor %}"
        + "{% if add_generation_prompt %}a:{% endif %}";

    private static readonly string[] Drawn = ["--temperature", "0.9", "--max-new-tokens", "6"];

    private readonly Workplace _place;
    private readonly string _model;

    public GenerateTests(Workplace place)
    {
        _place = place;
        _model = place.CopyOf(place.Model, $"chat-{Path.GetRandomFileName()}");
        File.WriteAllText(Path.Combine(_model, "chat_template.jinja"), Template);
    }

    [Fact]
    public void Chat_AnswersLineByLine_FromAllThatWasSaid()
    {
        var chat = Chat("the cat\nthe dog\n", "--json").Succeeded().Json;

        var (first, second) = ((string?)chat["answers"]![0]!["text"], (string?)chat["answers"]![1]!["text"]);
        Assert.Equal(Text("s:be u:the cat a:"), first);
        Assert.Equal(Text($"s:be u:the cat a:{first} u:the dog a:"), second);
        Assert.Equal(second, (string?)chat["messages"]![4]!["content"]);
    }

    [Fact]
    public void Chat_WritesAnswersAlone()
    {
        var json = Chat("the cat\nthe dog\n", "--json").Succeeded().Json;

        var output = Chat("the cat\nthe dog\n").Succeeded().Output;

        Assert.Equal($"{json["answers"]![0]!["text"]}\n{json["answers"]![1]!["text"]}\n", output);
    }

    [Theory]
    [InlineData("the cat\n\nthe dog\n")]
    [InlineData("the cat\n/exit\nthe dog\n")]
    [InlineData("the cat")]
    public void Chat_EndsAtAnEmptyLine_AtExit_AndWithTheInput(string input) =>
        Assert.Single(Chat(input, "--json").Succeeded().Json["answers"]!.AsArray());

    [Fact]
    public void Chat_AtCtrlC_EndsTheAnswerAlone()
    {
        string[] args = ["generate", _model, "--chat", "--max-new-tokens", "4"];
        var whole = CliRun.With("the cat\n", args).Succeeded().Output;

        var run = CliRun.InterruptedAt("", "the cat\nthe dog\n", args).Succeeded();

        var lines = run.Output.Split('\n');
        Assert.EndsWith(" …", lines[0], StringComparison.Ordinal);
        Assert.StartsWith(lines[0][..^2], whole, StringComparison.Ordinal);
        Assert.Equal(Text($"u:the cat a:{lines[0][..^2]} u:the dog a:"), lines[1]);
    }

    [Fact]
    public void Chat_AfterMessages_AnswersTheLastAndGoesOn()
    {
        var file = _place.Write("open.json", """[{"role":"user","content":"the cat"}]""");

        var chat = CliRun.With("the dog\n", "generate", _model, "--chat", "--messages", file, "--json");

        var roles = chat.Succeeded().Json["messages"]!.AsArray().Select(static m => (string?)m!["role"]);
        Assert.Equal(["user", "assistant", "user", "assistant"], roles);
    }

    [Fact]
    public void Chat_WithoutATemplate_SaysHowTurnsAreWritten()
    {
        var run = CliRun.With("the cat\n", "generate", _place.Model, "--chat", "--max-new-tokens", "2").Succeeded();

        Assert.Contains("no chat template in", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Prompts_AreAnsweredAsEachAlone_InLines()
    {
        var file = _place.Write("prompts.jsonl", """
            "the cat"
            {"prompt":"the dog"}

            {"messages":[{"role":"user","content":"the mat"}]}
            """);

        var run = CliRun.Of("generate", _model, "--prompts", file, "--max-new-tokens", "4").Succeeded();

        JsonNode[] answers = [.. run.Output.TrimEnd('\n').Split('\n').Select(static line => JsonNode.Parse(line)!)];
        Assert.Equal([1, 2, 4], answers.Select(static a => (int)a["line"]!));
        Assert.Equal(["the cat", "the dog", "u:the mat a:"], answers.Select(static a => (string?)a["prompt"]));
        Assert.Equal(
            [Text("the cat"), Text("the dog"), Text("u:the mat a:")], answers.Select(static a => (string?)a["text"]));
    }

    [Theory]
    [InlineData("{\"text\":\"x\"}", "there is no prompt")]
    [InlineData("{\"prompt\":\"x\",\"system\":\"y\"}", "system beside prompt")]
    [InlineData("{\"messages\":[]}", "no messages")]
    [InlineData("{\"messages\":[{\"role\":\"assistant\",\"content\":\"x\"}]}", "nothing to answer")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":\"{}\"}", "tools is not an array")]
    [InlineData("the cat", "not JSON")]
    public void Prompts_OneOfThemBad_AreAnsweredBesideIt(string bad, string why)
    {
        var file = _place.Write("bad.jsonl", $"{bad}\n\"the cat\"\n");

        var run = CliRun.Of("generate", _model, "--prompts", file, "--max-new-tokens", "4");

        run.Refused(2, "line 1", why, file);
        var lines = run.Output.TrimEnd('\n').Split('\n').Select(static line => JsonNode.Parse(line)!).ToArray();
        Assert.Contains(why, (string?)lines[0]["error"], StringComparison.Ordinal);
        Assert.Equal(Text("the cat"), (string?)lines[1]["text"]);
    }

    [Fact]
    public void NumReturnSequences_AreTheAnswersOfSeedsThatFollow()
    {
        string[] options = ["--num-return-sequences", "3", "--seed", "7", "--json", .. Drawn];

        var several = CliRun.Of(["generate", _model, "--prompt", "the cat", .. options])
            .Succeeded().Json["answers"]!.AsArray();

        Assert.Equal([7, 8, 9], several.Select(static a => (int)a!["seed"]!));
        Assert.All(several, answer => Assert.Equal(
            (string?)answer!["text"], Text("the cat", ["--seed", $"{answer["seed"]}", .. Drawn])));
        Assert.True(several.Select(static a => (string?)a!["text"]).Distinct().Count() > 1);
    }

    [Fact]
    public void NumReturnSequences_OfAGreedyRun_AreRefused() =>
        CliRun.Of("generate", _model, "--prompt", "x", "--num-return-sequences", "2")
            .Refused(2, "greedily", "--temperature");

    [Fact]
    public void GenerationConfig_DecidesWhatOptionsLeaveOut_AndIsNamed()
    {
        File.WriteAllText(
            Path.Combine(_model, "generation_config.json"), """{"do_sample":true,"temperature":0.9,"top_k":20}""");
        string[] options = ["--prompt", "the cat", "--seed", "7"];

        var run = CliRun.Of(["generate", _model, .. options, "--max-new-tokens", "6"]).Succeeded();
        var json = CliRun.Of(["generate", _model, .. options, "--top-k", "0", "--json"]).Succeeded().Json;

        var drawn = CliRun.Of(["generate", _place.Model, .. options, "--top-k", "20", .. Drawn]);
        var lines = run.Output.Split('\n');
        Assert.StartsWith("sampling: temperature 0.9, top_k 20 by ", lines[0], StringComparison.Ordinal);
        Assert.Equal(drawn.Succeeded().Output, string.Join('\n', lines[1..]));
        Assert.Equal(0, (double)json["sampling"]!["top_k"]!);
        Assert.Equal(0.9, (double)json["sampling"]!["temperature"]!);
    }

    [Fact]
    public void GenerationConfig_WithWhatIsNotFollowed_IsWarnedAbout()
    {
        File.WriteAllText(
            Path.Combine(_model, "generation_config.json"), """{"num_beams":4,"no_repeat_ngram_size":3}""");

        var run = CliRun.Of("generate", _model, "--prompt", "the cat", "--max-new-tokens", "2");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("no_repeat_ngram_size, num_beams", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--chat", "--prompt", "x")]
    [InlineData("--chat", "--prompts", "x")]
    [InlineData("--chat", "--num-return-sequences", "2", "--temperature", "1")]
    [InlineData("--prompts", "x", "--system", "y")]
    [InlineData("--prompts", "x", "--prompt", "y")]
    [InlineData("--prompt", "x", "--num-return-sequences", "0")]
    public void Options_ThatDoNotGoTogether_AreRefused(params string[] options) =>
        CliRun.Of(["generate", _model, .. options]).Refused(2, "--");

    private CliRun Chat(string input, params string[] options) =>
        CliRun.With(input, ["generate", _model, "--chat", "--system", "be", "--max-new-tokens", "4", .. options]);

    private string? Text(string prompt, params string[] options)
    {
        var given = options.Length == 0 ? ["--max-new-tokens", "4"] : options;
        var run = CliRun.Of(["generate", _model, "--prompt", prompt, "--json", .. given]);
        return (string?)run.Succeeded().Json["text"];
    }
}
