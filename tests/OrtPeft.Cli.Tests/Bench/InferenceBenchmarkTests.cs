using OrtPeft.Adapters;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Cli.Bench;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Cli.Tests.Bench;

public sealed class InferenceBenchmarkTests
{
    private static readonly InferenceBenchmarkOptions Options = new()
    {
        BatchSize = 2,
        SequenceLength = 8,
        PromptTokens = 4,
        NewTokens = 3,
        Rounds = 2,
        WarmupRounds = 1,
        VocabularySize = 101,
        EvaluationRuntime = new RuntimeOptions { Threads = 1, Prepacking = false },
        GenerationRuntime = new RuntimeOptions { Threads = 1 },
    };

    [Fact]
    public void Run_TimesEveryVariant()
    {
        var result = InferenceBenchmark.Run(Tiny.Base, Tiny.Lora(), Options);

        Assert.True(result.HasCache);
        Assert.NotNull(result.Merged);
        Assert.All([result.Base, result.Unmerged, result.Merged], AssertMeasured);
        Assert.All(RunsOf(result.Base), static times => Assert.Equal(1, times.Ratio));
    }

    [Fact]
    public void Run_WithAMethodThatCannotBeMerged_TimesTheOthers()
    {
        var prompt = PeftModel.Create(Tiny.Base, new PromptTuningConfig { NumVirtualTokens = 4 });

        var result = InferenceBenchmark.Run(Tiny.Base, prompt, Options);

        Assert.Null(result.Merged);
        Assert.All([result.Base, result.Unmerged], AssertMeasured);
    }

    [Fact]
    public void Run_WhenStopped_Throws()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();

        Assert.Throws<OperationCanceledException>(
            () => InferenceBenchmark.Run(Tiny.Base, Tiny.Lora(), Options, stop.Token));
    }

    private static readonly Dictionary<string, InferenceBenchmarkOptions> OutOfRange = new()
    {
        ["BatchSize is 0"] = Options with { BatchSize = 0 },
        ["SequenceLength is 1"] = Options with { SequenceLength = 1 },
        ["supervised part is 1.5"] = Options with { Supervised = 1.5 },
        ["vocabulary size is 0"] = Options with { VocabularySize = 0 },
        ["PromptTokens is 0"] = Options with { PromptTokens = 0 },
        ["NewTokens is 1"] = Options with { NewTokens = 1 },
        ["Rounds is 0"] = Options with { Rounds = 0 },
        ["WarmupRounds is 0"] = Options with { WarmupRounds = 0 },
    };

    public static TheoryData<string> Messages => [.. OutOfRange.Keys];

    [Theory]
    [MemberData(nameof(Messages))]
    public void Run_WithAnOptionOutOfRange_NamesIt(string message)
    {
        var error = Assert.ThrowsAny<ArgumentException>(
            () => InferenceBenchmark.Run(Tiny.Base, Tiny.Lora(), OutOfRange[message]));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static void AssertMeasured(VariantTimes variant) => Assert.All(RunsOf(variant), static times =>
    {
        Assert.True(double.IsFinite(times.MedianMilliseconds) && double.IsFinite(times.Ratio) && times.Ratio > 0);
        Assert.InRange(times.LeastMilliseconds, double.Epsilon, times.MedianMilliseconds);
    });

    private static RunTimes[] RunsOf(VariantTimes variant) => [variant.Evaluation, variant.Prompt, variant.Token];
}
