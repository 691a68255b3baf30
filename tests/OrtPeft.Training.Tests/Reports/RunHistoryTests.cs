using OrtPeft.Testing;
using OrtPeft.Training.Data;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Reports;

namespace OrtPeft.Training.Tests.Reports;

public sealed class RunHistoryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Log => _folder["metrics.jsonl"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_OfALog_GivesWhatWasAppended()
    {
        StepMetrics[] steps = [Step(1, 5.5, 0.25), Step(2, double.NaN, double.NaN)];
        EvaluationMetrics[] evaluations = [new() { Step = 0, Loss = 6 }, new() { Step = 2, Loss = 0.1 }];
        var answer = new SampleAnswer(2, "Say \"</script>\"", "ü", "a\nb");
        using (var log = MetricsLog.Create(Log))
        {
            log.Append(evaluations[0]);
            log.Append(steps[0]);
            log.Append(steps[1]);
            log.Append(evaluations[1]);
            log.Append(2, [answer, answer with { Expected = null }]);
        }

        var history = RunHistory.Read(Log);

        Assert.Equal(steps, history.Steps);
        Assert.Equal(evaluations, history.Evaluations);
        Assert.Equal([answer, answer with { Expected = null }], history.Samples);
    }

    [Fact]
    public void Read_OfALineThatIsBeingWritten_LeavesItOut()
    {
        File.WriteAllText(Log, "{\"step\":1,\"loss\":2}\n{\"step\":2,\"lo");

        Assert.Single(RunHistory.Read(Log).Steps);
    }

    [Theory]
    [InlineData("nonsense\n{\"step\":1}\n")]
    [InlineData("{\"step\":\"one\"}\n{\"step\":1}\n")]
    [InlineData("{\"text\":\"a row of data\"}\n{\"text\":\"another\"}\n")]
    public void Read_OfAnotherFile_Throws(string content)
    {
        File.WriteAllText(Log, content);

        var error = Assert.Throws<TrainingDataException>(() => RunHistory.Read(Log));

        Assert.Contains(":1: not a row of a run's metrics", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"step\":1,\"loss\":1e999,\"tokens\":\"many\",\"seconds\":null}")]
    [InlineData("{\"step\":1,\"loss\":{},\"tokens\":-5}")]
    [InlineData("{\"step\":1,\"tokens\":1e30}")]
    public void Read_OfValuesThatAreNoNumbers_TakesThemForNone(string line)
    {
        File.WriteAllText(Log, line);

        var step = Assert.Single(RunHistory.Read(Log).Steps);

        Assert.False(double.IsFinite(step.Loss));
        Assert.Equal(0, step.Tokens);
    }

    private static StepMetrics Step(int step, double loss, double norm) => new()
    {
        Step = step,
        Epoch = step / 4.0,
        Loss = loss,
        LearningRate = 1e-3 / step,
        GradNorm = norm,
        Tokens = 100,
        TokensPerSecond = 50.5,
        Seconds = 1.98,
    };
}
