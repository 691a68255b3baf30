using OrtPeft.Cli.Commands;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Words;

public sealed class HfNamesTests
{
    [Theory]
    [InlineData("--learning-rate", "1e-3", "--lr")]
    [InlineData("--learning_rate", "1e-3", "--lr")]
    [InlineData("--lora-r", "4", "--rank")]
    [InlineData("--lora_alpha", "4", "--alpha")]
    [InlineData("--lora-dropout", "0.1", "--dropout")]
    [InlineData("--num-epochs", "2", "--epochs")]
    [InlineData("--num_train_epochs", "2", "--epochs")]
    [InlineData("--per-device-train-batch-size", "2", "--batch-size")]
    [InlineData("--gradient-accumulation-steps", "2", "--grad-accum")]
    public void HfName_IsTheOption(string name, string value, string option)
    {
        var train = Train();

        var parsed = train.Parse(["m", "--data", "d", "--out", "o", name, value]);

        Assert.Empty(parsed.Errors);
        var given = Assert.Single(train.Options, o => o.Name == option);
        Assert.Equal(value, Assert.Single(parsed.GetResult(given)!.Tokens).Value);
    }

    [Fact]
    public void OptionGivenByBothNames_IsRefused() =>
        CliRun.Of("train", "m", "--data", "d", "--out", "o", "--lr", "1", "--learning-rate", "2").Refused(2, "--lr");

    [Fact]
    public void WrongValue_IsNamedAsTyped() =>
        CliRun.Of("train", "m", "--data", "d", "--out", "o", "--learning-rate", "x")
            .Refused(2, "--learning-rate is 'x'");

    [Fact]
    public void EveryNameIsOfOneOption()
    {
        using var interruption = new Interruption();
        var host = new Host { Output = TextWriter.Null, Error = TextWriter.Null, Interruption = interruption };

        Assert.All(CommandLine.Verbs(host), static verb =>
        {
            string[] names = [.. verb.Completed().Options.SelectMany(static o => o.Aliases.Append(o.Name))];
            Assert.Equal(names.Length, names.Distinct().Count());
        });
    }

    private static Verb Train()
    {
        using var interruption = new Interruption();
        var host = new Host { Output = TextWriter.Null, Error = TextWriter.Null, Interruption = interruption };
        return CommandLine.Verbs(host).Single(static v => v.Name == "train").Completed();
    }
}
