using System.Text.Json;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>What a run says of its evaluations, and which adapter it leaves.</summary>
public sealed class TrainEvaluationTests(Workplace place) : IClassFixture<Workplace>
{
    [Fact]
    public void Train_WithAValidationSplit_MeasuresTheBaseAndNamesTheBest()
    {
        var run = Train(place.Fresh(), "--val-split", "0.25", "--eval-steps", "2", "--steps", "4").Succeeded();

        Assert.Contains("held out for evaluation: ", run.Output, StringComparison.Ordinal);
        Assert.Contains("before training: eval loss ", run.Output, StringComparison.Ordinal);
        Assert.Matches(@"Best eval loss \d+\.\d+ at step [24] \(base \d+\.\d+\); the adapter is that of ", run.Output);
    }

    [Fact]
    public void Train_WithAValidationSplit_HoldsOutTheSameRowsBySeed()
    {
        string[] losses = [.. new[] { "3", "3", "4" }.Select(seed => BaseLoss("--val-split", "0.4", "--seed", seed))];

        Assert.Equal(losses[0], losses[1]);
        Assert.NotEqual(losses[0], losses[2]);
    }

    /// <summary>Rows that a weight repeats are held out with all of their copies.</summary>
    [Fact]
    public void Train_OnWeighedRows_HoldsOutEachRowOnce() =>
        Assert.Equal(BaseLoss("--val-split", "0.4"), BaseLoss("--val-split", "0.4", "--data", $"{place.Rows}@3"));

    [Fact]
    public void Train_WithPatience_StopsEarly()
    {
        var run = Train(
            place.Fresh(), "--val-split", "0.4", "--eval-steps", "1", "--steps", "9", "--patience", "1", "--min-delta", "99")
            .Succeeded();

        Assert.Contains("Stopped early, at step 2 of 9: evaluations became no better.", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WithoutABaseEvaluation_ComparesNothing()
    {
        var run = Train(place.Fresh(), "--val-split", "0.4", "--steps", "2", "--no-base-eval", "--keep", "last").Succeeded();

        Assert.DoesNotContain("before training", run.Output, StringComparison.Ordinal);
        Assert.Matches(@"Best eval loss \d+\.\d+ at step \d; the adapter is that of the last step\.\n", run.Output);
    }

    [Theory]
    [InlineData("--val-split", "0", "must be between 0 and 1")]
    [InlineData("--val-split", "1", "must be between 0 and 1")]
    [InlineData("--val-split", "0.0001", "holds out none of them")]
    [InlineData("--patience", "2", "give --eval-data or --val-split")]
    [InlineData("--keep", "last", "give --eval-data or --val-split")]
    [InlineData("--min-delta", "0.1", "give --eval-data or --val-split")]
    public void Train_WithAnOptionThatCannotWork_SaysWhy(string option, string value, string reason) =>
        Train(place.Fresh(), option, value).Refused(2, option, reason);

    [Fact]
    public void Train_WithTwoSourcesOfHeldOutRows_IsRefused() =>
        Train(place.Fresh(), "--val-split", "0.5", "--eval-data", place.Rows).Refused(2, "--val-split and --eval-data");

    [Fact]
    public void Train_AsJson_HasTheEvaluations()
    {
        var run = Train(place.Fresh(), "--val-split", "0.4", "--steps", "2", "--json").Succeeded();

        using var answer = JsonDocument.Parse(run.Output);
        Assert.True(answer.RootElement.GetProperty("base_eval_loss").GetDouble() > 0);
        Assert.True(answer.RootElement.GetProperty("best_eval_loss").GetDouble() > 0);
        Assert.Equal(
            answer.RootElement.GetProperty("best_step").GetInt32(), answer.RootElement.GetProperty("kept_step").GetInt32());
    }

    private string BaseLoss(params string[] options)
    {
        var run = Train(place.Fresh(), [.. options, "--steps", "1"]).Succeeded();
        return run.Output.Split('\n').First(static l => l.StartsWith("before training", StringComparison.Ordinal));
    }

    private CliRun Train(string folder, params string[] options) => options.Contains("--data")
        ? CliRun.Of(["train", place.Model, "--out", folder, "--batch-size", "2", "--threads", "1", .. options])
        : CliRun.Of(["train", place.Model, "--data", place.Rows, "--out", folder, "--batch-size", "2", "--threads", "1", .. options]);
}
