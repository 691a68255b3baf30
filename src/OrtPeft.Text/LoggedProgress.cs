using Microsoft.Extensions.Logging;
using OrtPeft.Training;

namespace OrtPeft.Text;

/// <summary>
/// Writes a run to a log: evaluations and checkpoints as information, every step for debugging. Reports arrive on the
/// training thread, in order.
/// </summary>
/// <param name="logger">The log.</param>
public sealed partial class LoggedProgress(ILogger logger) : IProgress<TrainingProgress>
{
    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Step > 0)
            LogStep(logger, value.Step, value.TotalSteps, value.Loss, value.Metrics.LearningRate);
        if (value.Evaluation is { } evaluation)
            LogEvaluation(logger, evaluation.Step, evaluation.Loss, evaluation.Perplexity);
        if (value.Checkpoint is { } checkpoint)
            LogCheckpoint(logger, value.Step, checkpoint);
    }

    [LoggerMessage(1, LogLevel.Debug, "Step {Step} of {TotalSteps}: loss {Loss}, learning rate {LearningRate}")]
    private static partial void LogStep(ILogger logger, int step, int totalSteps, double loss, double learningRate);

    [LoggerMessage(2, LogLevel.Information, "Step {Step}: evaluation loss {Loss}, perplexity {Perplexity}")]
    private static partial void LogEvaluation(ILogger logger, int step, double loss, double perplexity);

    [LoggerMessage(3, LogLevel.Information, "Step {Step}: wrote {Checkpoint}")]
    private static partial void LogCheckpoint(ILogger logger, int step, string checkpoint);
}
