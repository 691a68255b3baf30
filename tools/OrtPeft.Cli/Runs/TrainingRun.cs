using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Cli.Artifacts;
using OrtPeft.Training;
using OrtPeft.Training.Data;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Cli.Runs;

/// <summary>A run that is ready to begin.</summary>
internal sealed record TrainingRun : IDisposable
{
    /// <summary>The trained parameters, for reports.</summary>
    public required TrainingJob Job { get; init; }

    /// <summary>The rows that are learned.</summary>
    public required IReadOnlyList<Example> Rows { get; init; }

    /// <summary>The rows that are held out; null where there are none.</summary>
    public required IReadOnlyList<Example>? HeldOut { get; init; }

    /// <summary>How it is trained.</summary>
    public required TrainingArguments Arguments { get; init; }

    /// <summary>The metric that says which evaluation is best.</summary>
    public EvaluationMetric Metric => EvaluationMetric.Find(Arguments.BestMetric)!;

    /// <summary>Trains it.</summary>
    public required Trainer Trainer { get; init; }

    /// <summary>The adapter's configuration, as its file has it.</summary>
    public required JsonObject Config { get; init; }

    /// <summary>The adapted model; null where artifacts are trained.</summary>
    public PeftModel? Peft { get; init; }

    /// <summary>The exam at evaluations; null for none.</summary>
    public TrainingExam? Exam { get; init; }

    /// <summary>Trains to the end, or until it is stopped.</summary>
    /// <param name="progress">Is told of steps.</param>
    /// <param name="activity">Is told what goes on between them.</param>
    /// <param name="cancellation">Stops after the step under way.</param>
    public TrainingResult Train(
        IProgress<TrainingProgress> progress, IProgress<TrainingActivity> activity, CancellationToken cancellation)
    {
        Trainer.Activity = activity;
        if (Exam is not null)
        {
            Exam.Activity = activity;
            Trainer.Examiner = Exam.Take;
        }

        return Trainer.Train(progress, cancellation);
    }

    public void Dispose() => Trainer.Dispose();
}
