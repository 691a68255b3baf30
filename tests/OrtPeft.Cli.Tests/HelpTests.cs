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
    [InlineData("train")]
    [InlineData("bench")]
    [InlineData("eval")]
    [InlineData("generate")]
    [InlineData("mix")]
    [InlineData("merge")]
    [InlineData("artifacts")]
    [InlineData("adapter-from-checkpoint")]
    [InlineData("tokenize")]
    public void Help_OfAVerb_ShowsOptionsAndExamples(string verb) =>
        Snapshot.Matches(verb, CliRun.Of(verb, "--help").Succeeded().Output);

    [Fact]
    public void Version_IsOneLine() =>
        Assert.Matches(@"^ortpeft \d+\.\d+\.\d+\n$", CliRun.Of("--version").Succeeded().Output);

    [Fact]
    public void NoVerb_IsWrongUsage() => CliRun.Of().Refused(2, "verb", "train", "--help");

    [Fact]
    public void UnknownVerb_IsNamed() => CliRun.Of("trane").Refused(2, "'trane'", "train");

    [Fact]
    public void UnknownOption_IsNamed() =>
        CliRun.Of("init", "--preset", "tiny", "--out", "x", "--lrr", "1").Refused(2, "--lrr", "init --help");

    [Fact]
    public void MissingModel_SaysWhatItMayBe() =>
        CliRun.Of("eval", "--data", "x").Refused(2, "<model>", ".onnx", "HF folder");

    [Theory]
    [InlineData("--threads", "two", "whole number")]
    [InlineData("--threads", "-1", "0 or more")]
    [InlineData("--provider", "tpu", "cpu or cuda")]
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
