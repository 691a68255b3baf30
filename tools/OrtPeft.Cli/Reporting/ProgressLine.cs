using System.Globalization;
using OrtPeft.Training;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Cli.Reporting;

/// <summary>A step in a line: its epoch, the smoothed loss, the rate, and the mean speed so far.</summary>
internal sealed class ProgressLine
{
    private RunningMean? _loss;
    private double _tokens;
    private double _seconds;

    /// <summary>The line of a step; each step is to be handed in once.</summary>
    public string Of(TrainingProgress progress)
    {
        var step = progress.Metrics;
        _loss ??= new RunningMean(RunningMean.WindowFor(progress.TotalSteps));
        if (progress.Step > 0)
        {
            _loss.Add(step.Loss);
            (_tokens, _seconds) = (_tokens + step.Tokens, _seconds + step.Seconds);
        }

        var left = progress.Remaining > TimeSpan.Zero ? $", {Human.Time(progress.Remaining)} left" : "";
        var speed = _seconds > 0 ? $"{Human.Count((long)(_tokens / _seconds))} tokens/s" : "";
        var epoch = step.Epoch.ToString("0.00", CultureInfo.InvariantCulture);
        return $"step {step.Step}/{progress.TotalSteps}: loss {Human.Loss(step.Loss)} (smoothed {Human.Loss(_loss.Value)}), "
            + $"epoch {epoch}, lr {Human.Rate(step.LearningRate)}, {speed}{left}";
    }
}
