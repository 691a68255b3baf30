using OrtPeft.Cli.Tests.Running;
using OrtPeft.Testing;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class DataTests : IDisposable
{
    private const string Row =
        """{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"one"}]}""";

    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;
    private readonly string _rows;

    public DataTests()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Fixtures.Folder, "chat/tiny_chatml")))
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        _rows = Write(Row);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Data_OfMessages_ShowsWhatIsLearned()
    {
        Template("{% for m in messages %}<{{ m.role }}>{{ m.content }}<|im_end|>{% endfor %}"
            + "{% if add_generation_prompt %}<assistant>{% endif %}");

        var run = CliRun.Of("data", _rows, "--tokenizer", _folder, "--show", "1").Succeeded();

        Assert.Contains($"messages: 1 row by the chat template of {_folder}\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("rows: 1, 0 cut, 0 dropped, 0 with errors, 0 repeated\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("<user>a<|im_end|><assistant>⟦one<|im_end|>⟧\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_AsAPage_MarksWhatIsLearned_AndEscapesTheRest()
    {
        Template("{% for m in messages %}<{{ m.role }}>{{ m.content }}<|im_end|>{% endfor %}"
            + "{% if add_generation_prompt %}<assistant>{% endif %}");
        var rows = Write(
            """{"messages":[{"role":"user","content":"<script>&\r"},{"role":"assistant","content":"one"}]}""");
        var page = Path.Combine(_folder, "rows.html");

        CliRun.Of("data", rows, "--tokenizer", _folder, "--html", page).Succeeded();

        var html = File.ReadAllText(page);
        Assert.Contains(
            "&lt;user&gt;&lt;script&gt;&amp;␍&lt;|im_end|&gt;&lt;assistant&gt;<mark>one&lt;|im_end|&gt;</mark></pre>",
            html,
            StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_AsAPage_HasAsManyRowsAsAreToBeShown_AndReplacesPagesAlone()
    {
        var rows = Write($"{Row}\n{Row}\n{Row}");
        var page = Path.Combine(_folder, "rows.html");
        CliRun.Of("data", rows, "--tokenizer", _folder, "--html", page).Succeeded();
        Assert.Equal(3, File.ReadAllText(page).Split("<h2>").Length - 1);

        CliRun.Of("data", rows, "--tokenizer", _folder, "--html", page, "--show", "2").Succeeded();

        Assert.Contains("the first 2 of 3 rows", File.ReadAllText(page), StringComparison.Ordinal);
        Assert.Equal(2, File.ReadAllText(page).Split("<h2>").Length - 1);
        CliRun.Of("data", rows, "--tokenizer", _folder, "--html", rows).Refused(2, "--html", rows);
    }

    [Fact]
    public void Data_OfIdsThatTheTokenizerLacks_ShowsThemAsNumbers()
    {
        var rows = Write("""{"input_ids":[0,99999]}""");

        var run = CliRun.Of("data", rows, "--tokenizer", _folder, "--show", "1").Succeeded();

        Assert.Contains("[99999]⟧", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_WithoutATemplate_SaysThatTurnsAreWrittenPlainly()
    {
        var run = CliRun.Of("data", _rows, "--tokenizer", _folder, "--show", "all").Succeeded();

        Assert.Contains("no chat template", run.Output, StringComparison.Ordinal);
        Assert.Contains("user: a\nassistant:⟦ one\n<|im_end|>⟧", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_AsJson_HasPromptsWithoutLabels()
    {
        Template("{{ messages[0].content }}{% if add_generation_prompt %}>{% endif %}");

        var run = CliRun.Of("data", _rows, "--tokenizer", _folder, "--json", "--add-generation-prompt").Succeeded();

        var row = run.Json["rows"]!.AsArray().Single()!;
        Assert.Equal("a>", (string?)row["text"]);
        Assert.Null(row["labels"]);
    }

    [Fact]
    public void Data_OfARowThatTheTemplateRefuses_ReportsItBesideTheOthers()
    {
        Template("{% if messages[0].role == 'x' %}{{ raise_exception('No x!') }}{% endif %}{{ messages[0].content }}");
        var rows = Write("""{"messages":[{"role":"x","content":"a"}]}""" + "\n" + Row);

        var run = CliRun.Of("data", rows, "--tokenizer", _folder, "--train-on", "all", "--json");

        Assert.Equal(2, run.ExitCode);
        Assert.EndsWith("line 1: No x!", (string?)run.Json["rows"]![0]!["error"], StringComparison.Ordinal);
        Assert.Equal("a", (string?)run.Json["rows"]![1]!["text"]);
    }

    [Fact]
    public void Data_OfAFolderByOwnNames_NamesWhatItFoundAndCountsWhatItSkips()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "rows")).FullName;
        File.WriteAllText(Path.Combine(folder, "a.csv"), "ask,reply\n\"a, b\",one\n");
        File.WriteAllText(Path.Combine(folder, "b.json"), """[{"ask":"c","reply":"two"}]""");
        File.WriteAllText(Path.Combine(folder, "notes.txt"), "");

        var run = CliRun.Of("data", folder, "--tokenizer", _folder, "--map", "question=ask,answer=reply").Succeeded();

        Assert.Contains("skipped 1 file whose names are not those of data", run.Output, StringComparison.Ordinal);
        Assert.Contains($"found: 1 of questions and answers in {folder}/a.csv", run.Output, StringComparison.Ordinal);
        Assert.Contains($"found: 1 of questions and answers in {folder}/b.json", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--map", "question")]
    [InlineData("--map", "foo=bar")]
    public void Data_WhenAMappingIsNone_RefusesIt(string option, string value) =>
        CliRun.Of("data", _rows, "--tokenizer", _folder, option, value).Refused(2, option, value.Split('=')[0]);

    [Fact]
    public void Data_WhenNoStopTokenIsLearned_Warns()
    {
        Template("{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}\n{% endfor %}");

        var run = CliRun.Of("data", _rows, "--tokenizer", _folder);

        Assert.Contains("no row learns a token that ends an answer (<|im_end|>)", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--train-on", "user", "assistant, last, all")]
    [InlineData("--overlong", "halve", "cut, cut-start, drop, split, error")]
    [InlineData("--show", "some", "a number of rows, or all")]
    public void Data_OfAnUnknownWord_NamesTheKnownOnes(string option, string value, string known) =>
        CliRun.Of("data", _rows, "--tokenizer", _folder, option, value).Refused(2, option, value, known);

    private void Template(string template) =>
        File.WriteAllText(Path.Combine(_folder, "chat_template.jinja"), template);

    private string Write(string rows)
    {
        var file = Path.Combine(_folder, $"{Guid.NewGuid():n}.jsonl");
        File.WriteAllText(file, rows + "\n");
        return file;
    }
}
