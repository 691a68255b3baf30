using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Testing;
using OrtPeft.Training.Data;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>A run ends with the weights of its best evaluation, and stops where evaluations get no better.</summary>
public sealed class BestWeightsTests
{
    /// <summary>Sequences that training makes less likely.</summary>
    private static readonly TokenDataset HeldOut = new([.. Tiny.Rows.Select(Reversed)]);

    /// <summary>A rate at which that shows.</summary>
    private static readonly TrainingArguments Steep = Tiny.Arguments with
    {
        MaxSteps = 12,
        LearningRate = 0.3,
        Schedule = "constant",
        EvaluationSteps = 1,
    };

    [Fact]
    public void Train_WithEvaluationData_EndsWithTheBestWeights()
    {
        var (model, last) = (Tiny.Lora(), Tiny.Lora());

        var (result, evaluations) = Run(model, Steep);
        var best = evaluations.Where(static e => e.Step > 0).MinBy(static e => e.Loss)!;
        var (untilBest, _) = Run(last, Steep with { MaxSteps = best.Step, KeepBest = false });

        Assert.InRange(best.Step, 1, 11); // else the case tells nothing
        Assert.Equal((best.Step, best.Loss), (result.BestEvaluation!.Step, result.BestEvaluation.Loss));
        Assert.Equal((best.Step, 12), (result.KeptStep, result.Steps));
        Assert.Equal(best.Step, untilBest.KeptStep);
        Assert.Equal(Tiny.Numbers(last), Tiny.Numbers(model));
    }

    [Fact]
    public void Train_KeepingTheLast_EndsWithTheLastWeights()
    {
        var (kept, without) = (Tiny.Lora(), Tiny.Lora());

        var (result, _) = Run(kept, Steep with { KeepBest = false });
        Tiny.Run(without, Steep);

        Assert.Equal(12, result.KeptStep);
        Assert.NotNull(result.BestEvaluation);
        Assert.Equal(Tiny.Numbers(without), Tiny.Numbers(kept));
    }

    [Fact]
    public void Train_BeforeTheFirstStep_MeasuresTheBase()
    {
        using var folder = new TemporaryFolder();
        var (result, evaluations) = Run(Tiny.Lora(), Steep with { OutputFolder = folder.Path });
        var (without, none) = Run(Tiny.Lora(), Steep with { EvaluateFirst = false });

        Assert.Equal(0, evaluations[0].Step);
        Assert.Equal(evaluations[0].Loss, result.BaseEvaluation!.Loss);
        var log = File.ReadAllText(Path.Combine(folder.Path, "metrics.jsonl"));
        Assert.StartsWith("{\"step\":0,\"eval_loss\":", log, StringComparison.Ordinal);
        Assert.Null(without.BaseEvaluation);
        Assert.Equal(evaluations.Skip(1).Select(static e => e.Loss), none.Select(static e => e.Loss));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 0)]
    [InlineData(1, 0.5)]
    public void Train_WithPatience_StopsWhereEvaluationsGetNoBetter(int patience, double minDelta)
    {
        var (_, all) = Run(Tiny.Lora(), Steep);
        var (stale, best, expected) = (0, double.PositiveInfinity, 0);
        foreach (var evaluation in all.Where(static e => e.Step > 0))
        {
            stale = evaluation.Loss < best - minDelta ? 0 : stale + 1;
            best = Math.Min(best, evaluation.Loss);
            expected = evaluation.Step;
            if (stale == patience)
                break;
        }

        var (result, _) = Run(Tiny.Lora(), Steep with { Patience = patience, MinDelta = minDelta });

        Assert.InRange(expected, 1, 11); // else the case tells nothing
        Assert.Equal(expected, result.Steps);
        Assert.True(result.IsComplete);
    }

    /// <summary>Interrupted after any step, before the best one or after it, a run ends with the same weights.</summary>
    [Fact]
    public void Resume_AfterAnyStep_EndsWithTheSameBits()
    {
        var whole = Tiny.Lora();
        var (expected, _) = Run(whole, Steep);
        for (var stop = 1; stop < 12; stop++)
        {
            using var folder = new TemporaryFolder();
            var saved = Steep with { OutputFolder = folder.Path };
            var model = Tiny.Lora();

            var (part, _) = Run(model, saved, stop);
            var again = Tiny.Lora();
            var (result, _) = Run(again, saved with { Resume = true });

            Assert.False(part.IsComplete);
            Assert.Equal(expected.KeptStep, result.KeptStep);
            Assert.Equal(expected.BaseEvaluation, result.BaseEvaluation);
            Assert.Equal(expected.BestEvaluation, result.BestEvaluation);
            Assert.Equal(Tiny.Numbers(whole), Tiny.Numbers(again));
        }
    }

    /// <summary>Weights that are missing in part are another run's.</summary>
    [Fact]
    public void Resume_WithDamagedBestWeights_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var saved = Steep with { OutputFolder = folder.Path };
        Run(Tiny.Lora(), saved, stopAfter: 4);
        var path = Path.Combine(folder.Path, Trainer.CheckpointFile);
        var file = SafetensorsFile.Open(path);
        var bestOnes = file.Tensors.Keys.Where(static k => k.StartsWith("best/", StringComparison.Ordinal)).ToArray();
        (string, Tensor)[] kept = [.. file.Tensors.Where(t => t.Key != bestOnes[0])
            .Select(static t => (t.Key, Tensor.Of<float>(t.Value.ToFloat32(), t.Value.Dims.AsSpan())))];
        var metadata = file.Metadata;
        SafetensorsFile.Save(path, kept, metadata);

        var error = Assert.Throws<TrainingFailedException>(() => Run(Tiny.Lora(), saved with { Resume = true }));

        Assert.Contains($"'{bestOnes[0]}' is missing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_OfPatienceOrDeltaOutOfRange_SaysWhich()
    {
        var patience = Assert.Throws<SettingException>(() => (Steep with { Patience = 0 }).Validate());
        var delta = Assert.Throws<SettingException>(() => (Steep with { MinDelta = -1 }).Validate());

        Assert.Contains("Patience is 0", patience.Message, StringComparison.Ordinal);
        Assert.Contains("MinDelta is -1", delta.Message, StringComparison.Ordinal);
    }

    private static Example Reversed(Example row) => new([.. row.InputIds.Reverse()], [.. row.InputIds.Reverse()]);

    private static (TrainingResult Result, IReadOnlyList<EvaluationMetrics> Evaluations) Run(
        Adapters.PeftModel model, TrainingArguments arguments, int stopAfter = int.MaxValue)
    {
        var evaluations = new List<EvaluationMetrics>();
        using var stop = new CancellationTokenSource();
        using var trainer = new Trainer(model, arguments, Tiny.Data, HeldOut);
        var result = trainer.Train(
            new Tiny.Observer(progress =>
            {
                if (progress.Evaluation is { } evaluation)
                    evaluations.Add(evaluation);
                if (progress.Step == stopAfter)
                    stop.Cancel();
            }),
            stop.Token);
        return (result, evaluations);
    }
}
