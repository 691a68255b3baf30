using OrtPeft.Training.Metrics;

namespace OrtPeft.Training;

/// <summary>Where a run is after a step, or before the first.</summary>
/// <param name="Metrics">What was measured in the step; of step 0, before the first, all is 0 or NaN.</param>
/// <param name="TotalSteps">How many steps the run has.</param>
/// <param name="Remaining">The time left at the present speed.</param>
/// <param name="Evaluation">The evaluation after the step, or null. There is one of step 0.</param>
/// <param name="Checkpoint">The checkpoint written after the step, or null.</param>
public sealed record TrainingProgress(
    StepMetrics Metrics, int TotalSteps, TimeSpan Remaining, EvaluationMetrics? Evaluation, string? Checkpoint)
{
    /// <summary>The step that is done, 1..<see cref="TotalSteps"/>; 0 in a report of the evaluation before the first.</summary>
    public int Step => Metrics.Step;

    /// <summary>The model's answers to prompts after the step; empty where none were asked.</summary>
    public IReadOnlyList<SampleAnswer> Answers { get; init; } = [];

    /// <summary>The mean loss over the step's supervised tokens before the update, in nats.</summary>
    public double Loss => Metrics.Loss;
}
