using OrtPeft.Training.Metrics;

namespace OrtPeft.Training;

/// <summary>How a run ended.</summary>
/// <param name="Steps">The steps done, those of earlier parts of a resumed run included.</param>
/// <param name="IsComplete">False when the run was cancelled; its checkpoint lets it go on. True too where it stopped early
/// because evaluations became no better.</param>
/// <param name="LastLoss">The mean loss of the last step; NaN when there was none.</param>
/// <param name="Seconds">The time spent in steps.</param>
public sealed record TrainingResult(int Steps, bool IsComplete, double LastLoss, double Seconds)
{
    /// <summary>The evaluation before the first step; null where there was none.</summary>
    public EvaluationMetrics? BaseEvaluation { get; init; }

    /// <summary>The evaluation with the lowest loss after a step; null where there was none.</summary>
    public EvaluationMetrics? BestEvaluation { get; init; }

    /// <summary>The step whose weights the run ends with: the best evaluation's where those are kept, else the last.
    /// </summary>
    public int KeptStep { get; init; } = Steps;

    /// <summary>The evaluation of the weights that the run ends with; null where they were not evaluated.</summary>
    public EvaluationMetrics? KeptEvaluation { get; init; }
}
