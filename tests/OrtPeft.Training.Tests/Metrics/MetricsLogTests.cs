using System.Globalization;
using System.Text.Json;
using OrtPeft.Training.Data;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Tests.Metrics;

public sealed class MetricsLogTests : IDisposable
{
    private const string First =
        """{"step":1,"epoch":0.25,"loss":4.953196048736572,"learning_rate":0.0002,"grad_norm":1.5,""" +
        "\"tokens\":33,\"tokens_per_second\":1320.5,\"seconds\":0.025}";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ortpeft-metrics-");

    private string Log => Path.Combine(_folder.FullName, "metrics.jsonl");

    [Fact]
    public void Append_WritesTheContractsRows()
    {
        using (var log = MetricsLog.Create(Log))
        {
            log.Append(Step(1));
            log.Append(new EvaluationMetrics { Step = 1, Loss = 0 });
        }

        Assert.Equal([First, """{"step":1,"eval_loss":0,"eval_perplexity":1}"""], File.ReadAllLines(Log));
    }

    [Fact]
    public void Append_UnderACommaCulture_WritesPoints()
    {
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
        try
        {
            using var log = MetricsLog.Create(Log);
            log.Append(Step(1));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        Assert.Equal([First], File.ReadAllLines(Log));
    }

    [Fact]
    public void Append_KeepsEveryDigit()
    {
        double[] losses = [0.1 + 0.2, 1e-300, 123456789.12345679, (float)Math.PI];
        using (var log = MetricsLog.Create(Log))
        {
            foreach (var loss in losses)
                log.Append(Step(1) with { Loss = loss });
        }

        var read = File.ReadLines(Log)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("loss").GetDouble());

        Assert.Equal(losses, read);
    }

    [Fact]
    public void Append_WhenNumbersAreNotFinite_WritesNull()
    {
        using (var log = MetricsLog.Create(Log))
        {
            log.Append(Step(1) with { GradNorm = double.NaN, TokensPerSecond = double.PositiveInfinity });
            log.Append(new EvaluationMetrics { Step = 1, Loss = 1000 });
        }

        var lines = File.ReadAllLines(Log);
        Assert.Contains("\"grad_norm\":null", lines[0], StringComparison.Ordinal);
        Assert.Contains("\"tokens_per_second\":null", lines[0], StringComparison.Ordinal);
        Assert.Equal("""{"step":1,"eval_loss":1000,"eval_perplexity":null}""", lines[1]);
    }

    [Fact]
    public void Append_CanBeReadAtOnce()
    {
        using var log = MetricsLog.Create(Log);

        log.Append(Step(1));

        using var reader = new FileStream(Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        Assert.Equal(First.Length + 1, reader.Length);
    }

    [Fact]
    public void OpenForResume_DropsLaterRowsAndGoesOn()
    {
        using (var log = MetricsLog.Create(Log))
        {
            foreach (var step in Enumerable.Range(1, 4))
            {
                log.Append(Step(step));
                log.Append(new EvaluationMetrics { Step = step, Loss = 1 });
            }
        }

        using (var log = MetricsLog.OpenForResume(Log, step: 2))
            log.Append(Step(3));

        Assert.Equal(Steps(1, 1, 2, 2, 3), File.ReadLines(Log).Select(line => line.Split(',')[0]));
        Assert.Single(_folder.GetFiles());
    }

    [Theory]
    [InlineData("{\"step\":2,\"epo")]
    [InlineData("{\"step\":2,\"epoch\":0.5}")]
    [InlineData("{\"st")]
    public void OpenForResume_WhenTheLastLineIsUnfinished_StartsANewLine(string tail)
    {
        File.WriteAllText(Log, $"{First}\n{tail}");

        using (var log = MetricsLog.OpenForResume(Log, step: 1))
            log.Append(new EvaluationMetrics { Step = 1, Loss = 0 });

        Assert.Equal([First, """{"step":1,"eval_loss":0,"eval_perplexity":1}"""], File.ReadAllLines(Log));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("[1]")]
    [InlineData("{\"step\":\"one\"}")]
    [InlineData("{\"step\":1.5}")]
    public void OpenForResume_WhenALineIsNotARow_LeavesTheFile(string line)
    {
        var content = $"{line}\n{First}\n";
        File.WriteAllText(Log, content);

        var error = Assert.Throws<TrainingDataException>(() => MetricsLog.OpenForResume(Log, step: 1));

        Assert.StartsWith($"{Log}:1: ", error.Message, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(Log));
        Assert.Single(_folder.GetFiles());
    }

    [Fact]
    public void OpenForResume_WhenThereIsNoFile_StartsOne()
    {
        using (var log = MetricsLog.OpenForResume(Log, step: 5))
            log.Append(Step(1));

        Assert.Equal([First], File.ReadAllLines(Log));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static IEnumerable<string> Steps(params int[] steps) => steps.Select(step => $"{{\"step\":{step}");

    private static StepMetrics Step(int step) => new()
    {
        Step = step,
        Epoch = 0.25,
        Loss = 4.953196048736572,
        LearningRate = 2e-4,
        GradNorm = 1.5,
        Tokens = 33,
        TokensPerSecond = 1320.5,
        Seconds = 0.025,
    };
}
