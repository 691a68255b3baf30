using System.Text.Json;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>What a model is asked at evaluations.</summary>
public sealed class TrainMetricsTests : IClassFixture<Workplace>
{
    private readonly Workplace _place;
    private readonly string _rows;

    public TrainMetricsTests(Workplace place)
    {
        _place = place;
        _rows = place.Write("answers.jsonl", string.Join('\n', Enumerable.Range(0, 8).Select(
            static i => $$"""{"prompt":"the cat number {{i}}","completion":" sat on </script> the mat"}""")));
    }

    [Fact]
    public void Train_WithMetricsAndSamples_ShowsAndKeepsThem()
    {
        var folder = _place.Fresh();

        var run = Train(
            folder, "--val-split", "0.5", "--metrics", "token-accuracy,exact-match,rouge-l,json-valid", "--metric", "rouge-l",
            "--samples", "1", "--sample-prompt", "the dog").Succeeded();

        Assert.Contains("sample 1: the dog", run.Output, StringComparison.Ordinal);
        Assert.Contains("sample 2, expected: sat on </script> the mat", run.Output, StringComparison.Ordinal);
        Assert.Contains("before training: sample 2: ", run.Output, StringComparison.Ordinal);
        Assert.Matches("step 2: eval loss .*, token-accuracy .*, exact-match .*, rouge-l .*, json-valid ", run.Output);
        Assert.Contains("Best ROUGE-L ", run.Output, StringComparison.Ordinal);
        var last = File.ReadLines(Path.Combine(folder, "metrics.jsonl")).Last();
        using var samples = JsonDocument.Parse(last);
        Assert.Equal(2, samples.RootElement.GetProperty("samples").GetArrayLength());
        var page = File.ReadAllText(Path.Combine(folder, "report.html"));
        Assert.Contains("Answers over time", page, StringComparison.Ordinal);
        Assert.Contains("sat on &lt;/script&gt; the mat", page, StringComparison.Ordinal);
        Assert.Contains("type: rouge", File.ReadAllText(Path.Combine(folder, "README.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void Train_TwiceWithOneSeed_AsksAndAnswersTheSame()
    {
        string[] options = ["--val-split", "0.5", "--metrics", "exact-match", "--metric-rows", "2", "--samples", "9"];

        Assert.Equal(Events(options), Events(options));
    }

    /// <summary>What is asked changes nothing of what is learned.</summary>
    [Fact]
    public void Train_WithSamples_LearnsTheSame()
    {
        var (with, without) = (_place.Fresh(), _place.Fresh());

        Train(with, "--sample-prompt", "the dog", "--eval-steps", "1").Succeeded();
        Train(without).Succeeded();

        Assert.Equal(Weights(without), Weights(with));
    }

    [Theory]
    [InlineData("--metrics", "rouge", "did you mean rouge-l?")]
    [InlineData("--metric", "bleu", "there is no metric 'bleu'")]
    [InlineData("--samples", "2", "give --eval-data or --val-split")]
    [InlineData("--metrics", "exact-match", "give --eval-data or --val-split")]
    [InlineData("--max-new-tokens", "9", "give --metrics, --samples or --sample-prompt")]
    public void Train_WithAnOptionThatCannotWork_SaysWhy(string option, string value, string reason) =>
        Train(_place.Fresh(), option, value).Refused(2, option, reason);

    [Fact]
    public void Train_OnTextsWithoutAPrompt_RefusesMetricsOfAnswers()
    {
        CliRun.Of(
            "train", _place.Model, "--data", _place["text.jsonl"], "--out", _place.Fresh(), "--val-split", "0.5", "--metrics",
            "exact-match").Refused(2, "No held-out row has a prompt");
    }

    private static string Weights(string folder) =>
        Convert.ToHexString(File.ReadAllBytes(Path.Combine(folder, "adapter_model.safetensors")));

    private string[] Events(string[] options) => [.. Train(_place.Fresh(), options).Succeeded().Output.Split('\n')
        .Where(static line => line.Contains("sample", StringComparison.Ordinal) || line.Contains("eval loss", StringComparison.Ordinal))];

    private CliRun Train(string folder, params string[] options) => CliRun.Of(
        ["train", _place.Model, "--data", _rows, "--out", folder, "--batch-size", "2", "--threads", "1", "--steps", "2", .. options]);
}
