using OrtPeft.Adapters;
using OrtPeft.Cli.Bench;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Training;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Cli.Tests.Bench;

public sealed class TrainingBenchmarkTests
{
    private static readonly BenchmarkOptions Options = new()
    {
        BatchSize = 2,
        SequenceLength = 8,
        Steps = 2,
        WarmupSteps = 1,
        VocabularySize = 101,
        Runtime = new RuntimeOptions { Threads = 1 },
    };

    [Fact]
    public void Run_MeasuresAndProfilesEveryStep()
    {
        var steps = new List<int>();
        var observer = new Tiny.Observer(p => steps.Add(p.Step));

        var result = TrainingBenchmark.Run(Tiny.Lora(), Options with { Profile = true }, observer);

        Assert.Equal([1, 2, 3], steps);
        Assert.True(result.LeastStepMilliseconds <= result.MedianStepMilliseconds);
        Assert.Equal(16 / (result.MedianStepMilliseconds / 1e3), result.TokensPerSecond, 1e-6);
        Assert.Equal(Tiny.Lora().TrainableParameterCount, result.TrainableParameters);
        Assert.Matches(@"^\d+\.\d+", result.OnnxRuntimeVersion);
        Assert.True(result.GemmGflops > 0 && result.ModelGflops > 0);
        Assert.Contains(result.Profile!.ByOperator, static e => e is { Name: "Gemm", Nodes: > 0, Milliseconds: > 0 });
        Assert.Contains(result.Profile.ByPart, static e => e.Name == "backward h/mlp");
        Assert.Equal(1, result.Profile.ByOperator.Sum(static e => e.Share), 1e-9);
        Assert.Equal(1, result.Profile.ByPart.Sum(static e => e.Share), 1e-9);
    }

    [Fact]
    public void Run_InBfloat16_MeasuresAgainstProductsInIt()
    {
        var options = Options with
        {
            Precision = ProductPrecision.Auto,
            Runtime = Options.Runtime with { Prepacking = true },
        };

        var result = TrainingBenchmark.Run(Tiny.Lora(), options);

        Assert.True(result.GemmGflops > 0 && double.IsFinite(result.LastLoss));
    }

    [Fact]
    public void Run_WhenStopped_Throws()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();

        Assert.Throws<OperationCanceledException>(() => TrainingBenchmark.Run(Tiny.Lora(), Options, null, stop.Token));
    }

    [Theory]
    [InlineData(0, 8, 1, "BatchSize")]
    [InlineData(1, 1, 1, "SequenceLength")]
    [InlineData(1, 8, 0, "supervised")]
    [InlineData(1, 8, 1.5, "supervised")]
    public void Run_WithAnOptionOutOfRange_NamesIt(int batch, int sequence, double supervised, string name)
    {
        var options = Options with { BatchSize = batch, SequenceLength = sequence, Supervised = supervised };

        var error = Assert.ThrowsAny<ArgumentException>(() => TrainingBenchmark.Run(Tiny.Lora(), options));

        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }
}
