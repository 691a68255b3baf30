using OrtPeft.Adapters;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Training.Answers;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>Evaluations by other things than the loss.</summary>
public sealed class MetricTests
{
    private static readonly TrainingArguments Arguments = Tiny.Arguments with
    {
        MaxSteps = 6,
        EvaluationSteps = 1,
        BestMetric = "exact-match",
    };

    /// <summary>Higher is better: the best one of these is neither that of the lowest loss nor the last.</summary>
    [Fact]
    public void Train_ByAMetricOfWhichMoreIsBetter_KeepsTheHighest()
    {
        var (result, model) = Run(Arguments, static step => step == 3 ? 0.9 : 0.1 * step);
        var last = Tiny.Lora();
        Tiny.Run(last, Tiny.Arguments with { MaxSteps = 3, Schedule = "constant" });

        Assert.Equal((3, 3), (result.KeptStep, result.BestEvaluation!.Step));
        Assert.Equal(0.9, result.BestEvaluation.ExactMatch);
        Assert.Equal(0, result.BaseEvaluation!.ExactMatch);
        Assert.Equal(Tiny.Numbers(last), Tiny.Numbers(model));
    }

    [Theory]
    [InlineData(2, 0, 5)] // best at 3, then two that are no better
    [InlineData(2, 0.15, 3)] // 0.2 and 0.3 are each better than the one before, but not by so much
    [InlineData(null, 0, 6)]
    public void Train_WithPatience_CountsInTheMetricsDirection(int? patience, double minDelta, int steps)
    {
        double[] values = [0, 0.1, 0.2, 0.3, 0.29, 0.3, 0.1];

        var (result, _) = Run(Arguments with { Patience = patience, MinDelta = minDelta }, step => values[step]);

        Assert.Equal(steps, result.Steps);
    }

    [Fact]
    public void Train_ThatIsResumed_GoesOnFromTheBestOfBothParts()
    {
        using var folder = new TemporaryFolder();
        double[] values = [0, 0.1, 0.9, 0.2, 0.3, 0.4, 0.5];
        var first = Arguments with { OutputFolder = folder.Path, CheckpointSteps = 1 };
        Run(first, step => values[step], stopAt: 4);

        var (result, _) = Run(first with { Resume = true }, step => values[step]);

        Assert.Equal((2, 0.9), (result.KeptStep, result.BestEvaluation!.ExactMatch));
        Assert.Equal(0, result.BaseEvaluation!.ExactMatch);
        var error = Assert.Throws<SettingException>(
            () => Run(first with { Resume = true, BestMetric = "loss" }, static _ => 0));
        Assert.Contains("metric = exact-match, this run has loss", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Against the likeliest tokens of the logits themselves.</summary>
    [Fact]
    public void Evaluate_WithTokenAccuracy_CountsRightTokens()
    {
        using var trainer = new Trainer(
            Tiny.Lora(), Tiny.Arguments with { MeasureTokenAccuracy = true }, Tiny.Data, Tiny.Data);

        var accuracy = trainer.Evaluate()!.TokenAccuracy;

        using var evaluator = new Evaluator(Tiny.Lora(), Tiny.Arguments.Runtime, new TokenAccuracy());
        var other = evaluator.Evaluate(Tiny.Data, batchSize: 1);
        Assert.Equal(Right(), other.LossSum);
        Assert.Equal(other.Loss, accuracy);
    }

    [Theory]
    [InlineData("bleu", "must be one of loss, perplexity")]
    [InlineData("token-accuracy", "MeasureTokenAccuracy")]
    public void Validate_OfAMetricThatIsNotMeasured_Throws(string metric, string reason)
    {
        var error = Assert.Throws<SettingException>(() => (Tiny.Arguments with { BestMetric = metric }).Validate());

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    private static double Right()
    {
        var (right, model) = (0.0, Tiny.Lora().ForInference());
        foreach (var row in Tiny.Rows)
        {
            long[] dims = [1, row.Length];
            var logits = DecoderLogits.Of(model, DecoderLogits.WithPositions(new Dictionary<string, Tensor>
            {
                ["input_ids"] = Tensor.Of<long>([.. row.InputIds.Select(static id => (long)id)], dims),
                ["attention_mask"] = Tensor.Of<long>(
                    [.. row.InputIds.Select((_, i) => (long)(row.AttentionMask?[i] ?? 1))], dims),
            }));
            var rows = logits.ToFloat32().Chunk((int)logits.Dims[^1]).ToArray();
            right += Enumerable.Range(1, row.Length - 1)
                .Count(i => row.Labels[i] != -100 && Array.IndexOf(rows[i - 1], rows[i - 1].Max()) == row.Labels[i]);
        }

        return right;
    }

    private static (TrainingResult Result, PeftModel Model) Run(
        TrainingArguments arguments, Func<int, double> value, int? stopAt = null)
    {
        var model = Tiny.Lora();
        using var source = new CancellationTokenSource();
        using var trainer = new Trainer(model, arguments with { Schedule = "constant" }, Tiny.Data, Tiny.Data)
        {
            Examiner = step => new Examination { Scored = Answers(value(step)) },
        };
        var result = trainer.Train(
            new Tiny.Observer(p =>
            {
                if (p.Step == stopAt)
                    source.Cancel();
            }),
            source.Token);
        return (result, model);
    }

    /// <summary>A hundred answers, of which a share is right.</summary>
    private static ScoredAnswer[] Answers(double share) =>
        [.. Enumerable.Range(0, 100).Select(i => new ScoredAnswer(
            new AnswerRow([1], [2]), "", "yes", i < (share * 100) - 0.5 ? "yes" : "no"))];
}
