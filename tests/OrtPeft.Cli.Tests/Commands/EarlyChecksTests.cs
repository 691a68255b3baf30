using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>What can be said of a command line alone is said before the model is opened: here it does not exist.</summary>
public sealed class EarlyChecksTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ortpeft-early-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("--batch-size", "0")]
    [InlineData("--epochs", "0")]
    [InlineData("--lr", "-1")]
    [InlineData("--learning-rate", "-1", "--lr")]
    [InlineData("--grad-accum", "0")]
    [InlineData("--steps", "0")]
    [InlineData("--beta1", "1")]
    public void TrainRange_IsSaidOfTheOption(string option, string value, string? said = null) =>
        Train(option, value).Refused(2, $"{said ?? option} is {value}; it must be");

    [Theory]
    [InlineData("--top-p", "1.5")]
    [InlineData("--max-new-tokens", "0")]
    [InlineData("--temperature", "-1")]
    public void GenerateRange_IsSaidOfTheOption(string option, string value) =>
        CliRun.Of("generate", "no/such/model", "--prompt", "a", option, value)
            .Refused(2, $"{option} is {value}; it must be");

    [Fact]
    public void ProviderThatThisBuildLacks_IsRefusedBeforeTheModelIsOpened() =>
        Train("--provider", "cuda").Refused(2, "--provider is 'cuda'", "Microsoft.ML.OnnxRuntime.Gpu");

    [Fact]
    public void Train_WithoutItsRows_SaysSo() =>
        CliRun.Of("train", "no/such/model", "--data", "nosuch.jsonl", "--out", Path.Combine(_folder, "out"))
            .Refused(2, "nosuch.jsonl does not exist");

    [Fact]
    public void Train_WithoutItsHeldOutRows_SaysSo() =>
        Train("--eval-data", "nosuch.jsonl").Refused(2, "nosuch.jsonl does not exist");

    [Fact]
    public void Eval_WithoutItsRows_SaysSo() =>
        CliRun.Of("eval", "no/such/model", "--data", "nosuch.jsonl").Refused(2, "nosuch.jsonl does not exist");

    [Theory]
    [InlineData("inspect")]
    [InlineData("import")]
    public void NameOfTheHub_IsAnsweredWithTheDownload(string verb)
    {
        string[] output = verb == "import" ? ["--out", Path.Combine(_folder, "out")] : [];

        CliRun.Of([verb, "openai-community/gpt2", .. output])
            .Refused(2, "hf download openai-community/gpt2 --local-dir gpt2");
    }

    [Fact]
    public void PathThatIsNoNameOfTheHub_IsNotDownloaded()
    {
        var run = CliRun.Of("inspect", "./models/gpt2");

        run.Refused(2, "does not exist");
        Assert.DoesNotContain("hf download", run.Error, StringComparison.Ordinal);
    }

    private CliRun Train(params string[] options)
    {
        var rows = Path.Combine(_folder, "rows.jsonl");
        File.WriteAllText(rows, """{"text":"a"}""");
        return CliRun.Of(["train", "no/such/model", "--data", rows, "--out", Path.Combine(_folder, "out"), .. options]);
    }
}
