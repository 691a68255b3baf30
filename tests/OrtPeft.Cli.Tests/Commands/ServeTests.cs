using OrtPeft.Cli.Tests.Running;
using OrtPeft.Testing;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class ServeTests
{
    private static readonly string Model =
        Path.GetFullPath(Path.Combine(Fixtures.Folder, "..", "..", "models", "tiny-gpt2-apidocs"));

    [Fact]
    public void Serve_UntilItIsInterrupted_SaysWhatAndWhere()
    {
        var run = CliRun.InterruptedAt("Ctrl-C stops.", "serve", Model, "--port", "0", "--model-name", "small").Succeeded();

        Assert.Matches(@"^Serving small at http://127\.0\.0\.1:\d+/; Ctrl-C stops\.\nStopping once ", run.Output);
    }

    [Theory]
    [InlineData("--adapter", "x=nowhere", "nowhere")]
    [InlineData("--port", "70000", "at most 65535")]
    [InlineData("--timeout", "0", "above 0")]
    [InlineData("--host", "no such host", "is not an address")]
    [InlineData("--model-name", "with space", "is not a model's name")]
    [InlineData("--allow-adapter-loading", "nowhere", "is not a folder")]
    [InlineData("--max-batch", "0", "1 or more")]
    [InlineData("--max-body", "much", "a unit")]
    public void Serve_WithAWrongOption_NamesIt(string option, string value, string part) =>
        CliRun.Of(["serve", Model, option, value, .. option == "--port" ? Array.Empty<string>() : ["--port", "0"]]).Refused(2, part);

    [Fact]
    public void Serve_WithAnAdapterThatIsNotLora_NamesTheWay() => CliRun
        .Of("serve", Path.Combine(Fixtures.Folder, "base", "g2l"), "--tokenizer", Model, "--port", "0", "--adapter",
            "x=" + Path.Combine(Fixtures.Folder, "peft_ckpt", "g2l_dora_all"))
        .Refused(2, "'x'", "merge");
}
