using System.Text.Json;
using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Adapters.Lora;
using OrtPeft.Testing;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Runs;

public sealed class ResumeTests
{
    /// <summary>What a resumed run changes, and the name of the setting that the message must have.</summary>
    public static TheoryData<string> Settings => [.. Changes.Keys];

    private static Dictionary<string, Func<TrainingArguments, TrainingArguments>> Changes => new()
    {
        ["batch-size"] = static a => a with { BatchSize = 2 },
        ["grad-accum"] = static a => a with { GradientAccumulation = 2 },
        ["steps"] = static a => a with { MaxSteps = 7 },
        ["lr"] = static a => a with { LearningRate = 2e-2 },
        ["schedule"] = static a => a with { Schedule = "cosine" },
        ["warmup-steps"] = static a => a with { WarmupSteps = 1 },
        ["weight-decay"] = static a => a with { Optimizer = new AdamWConfig { WeightDecay = 0 } },
        ["max-grad-norm"] = static a => a with { Optimizer = new AdamWConfig { MaxGradNorm = 2 } },
        ["seed"] = static a => a with { Seed = 9 },
        ["shuffle"] = static a => a with { Shuffle = true },
    };

    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    public void Train_WhenCancelledAndResumed_EndsWithTheSameBits(double dropout)
    {
        using var folder = new TemporaryFolder();
        using var uninterrupted = new TemporaryFolder();
        var arguments = Tiny.Arguments with { Shuffle = true, EvaluationSteps = 2 };
        var expected = Tiny.Lora(dropout);
        Train(expected, arguments with { OutputFolder = uninterrupted.Path });
        using var stop = new CancellationTokenSource();

        arguments = arguments with { OutputFolder = folder.Path };
        var part = Train(Tiny.Lora(dropout), arguments, p => CancelAt(p, 4, stop), stop.Token);
        var resumed = Tiny.Lora(dropout, seed: 77);
        var rest = Train(resumed, arguments with { Resume = true });

        Assert.Equal((4, false), (part.Steps, part.IsComplete));
        Assert.Equal((6, true), (rest.Steps, rest.IsComplete));
        Assert.Equal(Tiny.Numbers(expected), Tiny.Numbers(resumed));
        Assert.Equal(Rows(uninterrupted), Rows(folder));
    }

    [Fact]
    public void Train_WhenItDiedAfterTheCheckpoint_RepeatsTheLostStep()
    {
        using var folder = new TemporaryFolder();
        using var uninterrupted = new TemporaryFolder();
        var arguments = Tiny.Arguments with { CheckpointSteps = 2 };
        var expected = Tiny.Lora();
        Train(expected, arguments with { OutputFolder = uninterrupted.Path });

        Assert.Throws<IOException>(() => Train(Tiny.Lora(), arguments with { OutputFolder = folder.Path }, DieAtThree));
        var resumed = Tiny.Lora();
        Train(resumed, arguments with { OutputFolder = folder.Path, Resume = true });

        Assert.Equal(Tiny.Numbers(expected), Tiny.Numbers(resumed));
        Assert.Equal(Rows(uninterrupted), Rows(folder));
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Train_WhenResumedWithAnotherSetting_NamesIt(string setting)
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with { OutputFolder = folder.Path, MaxSteps = 1 };
        Train(Tiny.Lora(), arguments);

        var error = Assert.Throws<TrainingFailedException>(
            () => Train(Tiny.Lora(), Changes[setting](arguments) with { Resume = true }));

        Assert.Contains($"with {setting} = ", error.Message, StringComparison.Ordinal);
        Assert.Contains(folder[Trainer.CheckpointFile], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WhenResumedWithAnotherAdapter_NamesTheField()
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with { OutputFolder = folder.Path, MaxSteps = 1 };
        Train(Tiny.Lora(), arguments);
        var config = (LoraConfig)Tiny.Lora().Config;

        string MessageFor(LoraConfig other) => Assert.Throws<TrainingFailedException>(
            () => Train(PeftModel.Create(Tiny.Base, other), arguments with { Resume = true })).Message;

        Assert.Contains("lora_alpha = 8, this", MessageFor(config with { LoraAlpha = 16 }), StringComparison.Ordinal);
        Assert.Contains("lora_dropout = 0, ", MessageFor(config with { LoraDropout = 0.1 }), StringComparison.Ordinal);
        Assert.Contains("r = 4, this run has 2", MessageFor(config with { R = 2 }), StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WhenResumedWithOtherData_SaysSo()
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with { OutputFolder = folder.Path, MaxSteps = 1 };
        Train(Tiny.Lora(), arguments);
        var row = Tiny.Rows[11];
        var masked = new Example(row.InputIds, row.Labels, [.. row.AttentionMask!.Value.Select(static m => 1 - m)]);
        var other = new TokenDataset([.. Tiny.Rows.Take(11), masked]);

        var error = Assert.Throws<TrainingFailedException>(
            () => Tiny.Run(Tiny.Lora(), arguments with { Resume = true }, other));

        Assert.Contains("with data = ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WhenThereIsNothingToResume_SaysSo()
    {
        using var folder = new TemporaryFolder();

        var error = Assert.Throws<TrainingFailedException>(
            () => Train(Tiny.Lora(), Tiny.Arguments with { OutputFolder = folder.Path, Resume = true }));

        Assert.Contains(folder[Trainer.CheckpointFile], error.Message, StringComparison.Ordinal);
    }

    private static TrainingResult Train(
        PeftModel model,
        TrainingArguments arguments,
        Action<TrainingProgress>? observe = null,
        CancellationToken cancellation = default)
    {
        using var trainer = new Trainer(model, arguments, Tiny.Data, Tiny.Data);
        return trainer.Train(new Tiny.Observer(observe ?? (static _ => { })), cancellation);
    }

    private static void CancelAt(TrainingProgress progress, int step, CancellationTokenSource source)
    {
        if (progress.Step.Step == step)
            source.Cancel();
    }

    private static void DieAtThree(TrainingProgress progress)
    {
        if (progress.Step.Step == 3)
            throw new IOException("The machine is switched off.");
    }

    /// <summary>The log without the times.</summary>
    private static string[] Rows(TemporaryFolder folder) =>
        [.. File.ReadLines(folder["metrics.jsonl"]).Select(WithoutTimes)];

    private static string WithoutTimes(string line)
    {
        using var row = JsonDocument.Parse(line);
        var fields = row.RootElement.EnumerateObject()
            .Where(static f => !f.Name.Contains("second", StringComparison.Ordinal));
        return string.Join(' ', fields.Select(static f => f.ToString()));
    }
}
