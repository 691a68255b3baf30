using System.Runtime.CompilerServices;
using OrtPeft.Cli.Help;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests;

public sealed class HelpTests
{
    [Fact]
    public void Help_ListsTheVerbs() => Snapshot.Matches("ortpeft", CliRun.Of("--help").Succeeded().Output);

    [Theory]
    [InlineData("init")]
    [InlineData("import")]
    [InlineData("quantize")]
    [InlineData("inspect")]
    [InlineData("data")]
    [InlineData("devices")]
    [InlineData("train")]
    [InlineData("report")]
    [InlineData("sweep")]
    [InlineData("bench")]
    [InlineData("eval")]
    [InlineData("generate")]
    [InlineData("serve")]
    [InlineData("average")]
    [InlineData("mix")]
    [InlineData("merge")]
    [InlineData("export")]
    [InlineData("adapters")]
    [InlineData("artifacts")]
    [InlineData("adapter-from-checkpoint")]
    [InlineData("tokenize")]
    [InlineData("completion")]
    public void Help_OfAVerb_ShowsOptionsAndExamples(string verb) =>
        Snapshot.Matches(verb, CliRun.Of(verb, "--help").Succeeded().Output);

    [Fact]
    public void HelpAll_ShowsRareOptionsAndHfNames() =>
        Snapshot.Matches("train-all", CliRun.Of("train", "--help-all").Succeeded().Output);

    /// <summary>The guide has a page for each verb, which scripts/command-pages.sh makes from the help.</summary>
    [Fact]
    public void Guide_HasTheHelpOfEachVerb()
    {
        var folder = Path.Combine(Folder(), "../../docs/guide/commands");
        using var interruption = new Interruption();
        var host = new Host { Output = TextWriter.Null, Error = TextWriter.Null, Interruption = interruption };
        string[] verbs = [.. CommandLine.Verbs(host).Select(static v => v.Name)];

        Assert.All(verbs, verb => Assert.Equal(
            $"# ortpeft {verb}\n\n```text\n{CliRun.Of(verb, "--help-all").Succeeded().Output}```\n",
            File.ReadAllText(Path.Combine(folder, $"{verb}.md"))));
        Assert.Equal(
            verbs.Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(folder).Select(static f => Path.GetFileNameWithoutExtension(f))
                .Order(StringComparer.Ordinal));

        static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
    }

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(160)]
    public void Help_FitsTheTerminal(int width)
    {
        using var interruption = new Interruption();
        using var output = new StringWriter();
        var host = new Host
        {
            Output = output,
            Error = TextWriter.Null,
            Interruption = interruption,
            Width = width,
        };

        foreach (var verb in CommandLine.Verbs(host).Select(static v => v.Name).ToList())
            CommandLine.Run([verb, "--help-all"], host);

        Assert.DoesNotContain(output.ToString().Split('\n'), line => line.Length > width);
    }

    [Theory]
    [InlineData("help", "train")]
    [InlineData("train", "-h")]
    [InlineData("train", "-?")]
    public void Help_HasSeveralNames(params string[] words) =>
        Assert.Equal(CliRun.Of("train", "--help").Output, CliRun.Of(words).Succeeded().Output);

    [Fact]
    public void Help_AloneListsTheVerbs() =>
        Assert.Equal(CliRun.Of("--help").Output, CliRun.Of("help").Succeeded().Output);

    [Fact]
    public void HelpGroups_NameOptionsThatExist()
    {
        using var interruption = new Interruption();
        var host = new Host { Output = TextWriter.Null, Error = TextWriter.Null, Interruption = interruption };
        string[] names =
        [
            .. CommandLine.Verbs(host).SelectMany(static v => v.Completed().Options).Select(static o => o.Name),
            "--help", HelpPage.WholeName, "--version",
        ];

        var listed = HelpGroup.All.SelectMany(static g => g.Essential.Concat(g.Rare)).ToList();

        Assert.Empty(listed.Except(names));
        Assert.Equal(listed.Count, listed.Distinct().Count());
    }

    [Theory]
    [InlineData("--version")]
    [InlineData("-v")]
    public void Version_IsOneLine(string name) =>
        Assert.Matches(@"^ortpeft \d+\.\d+\.\d+\n$", CliRun.Of(name).Succeeded().Output);

    [Fact]
    public void NoVerb_IsWrongUsage() => CliRun.Of().Refused(2, "command", "train", "--help");

    [Theory]
    [InlineData("trane", "train")]
    [InlineData("convert", "import")]
    [InlineData("gen", "generate")]
    public void UnknownVerb_IsNamedWithTheOneMeant(string typed, string meant) =>
        CliRun.Of(typed).Refused(2, $"'{typed}' is not a command; did you mean {meant}?");

    [Fact]
    public void UnknownVerb_LikeNone_IsNamedWithAll() =>
        CliRun.Of("xyzzy").Refused(2, "'xyzzy'", "give one of", "train");

    [Theory]
    [InlineData("train", "--lrr", "--lr")]
    [InlineData("train", "--batchsize", "--batch-size")]
    [InlineData("train", "--learning-rat", "--learning-rate")]
    [InlineData("generate", "--max-new", "--max-new-tokens")]
    [InlineData("bench", "--adapter", "--init-adapter")]
    public void UnknownOption_IsNamedWithTheOneMeant(string verb, string typed, string meant) =>
        CliRun.Of(verb, "m", typed, "1").Refused(2, $"There is no option {typed}; did you mean {meant}?", "--help-all");

    [Fact]
    public void UnknownOption_LikeNone_IsNamed() =>
        CliRun.Of("init", "--preset", "tiny", "--out", "x", "--zzz", "1")
            .Refused(2, "no option --zzz.", "init --help-all");

    [Fact]
    public void SecondArgument_IsTakenForTheFolderToWrite()
    {
        CliRun.Of("import", "gpt2", "onnx")
            .Refused(2, "'onnx' is not expected here; to write to it, give --out onnx. See ortpeft import --help.");
        CliRun.Of("import", "gpt2", "x", "--out", "y").Refused(2, "'x' is not expected here. See ortpeft import --help.");
        CliRun.Of("train", "m", "-r", "8").Refused(2, "'-r' is not expected here. See ortpeft train --help.");
    }

    [Fact]
    public void MissingModel_SaysWhatItMayBe() =>
        CliRun.Of("eval", "--data", "x").Refused(2, "<model>", ".onnx", "HF folder");

    [Theory]
    [InlineData("--threads", "two", "whole number")]
    [InlineData("--threads", "-1", "0 or more")]
    [InlineData("--provider", "tpu", "one of cpu, cuda, dml")]
    public void WrongValue_IsNamedWithTheOption(string option, string value, string allowed) =>
        CliRun.Of("init", "--preset", "tiny", "--out", "x", option, value).Refused(2, option, value, allowed);

    [Fact]
    public void Verbose_AddsWhereTheErrorCameFrom()
    {
        var run = CliRun.Of("inspect", "/no/such/model", "--verbose");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("   at OrtPeft.", run.Error, StringComparison.Ordinal);
    }
}
