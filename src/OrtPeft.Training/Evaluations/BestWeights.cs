using OrtPeft.Tensors;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Evaluations;

/// <summary>
/// The weights of the best evaluation after a step, and how many evaluations ago that was. A value that is not a number
/// is never the best.
/// </summary>
/// <param name="metric">What says which evaluation is better.</param>
/// <param name="minDelta">By how much an evaluation has to be better than the best one to count as progress.</param>
internal sealed class BestWeights(EvaluationMetric metric, double minDelta)
{
    /// <summary>The part that is written into checkpoints.</summary>
    public EvaluationState State { get; private set; } = EvaluationState.None;

    /// <summary>The weights, by parameter; null before an evaluation, and where they are not kept.</summary>
    public IReadOnlyDictionary<string, Tensor>? Weights { get; private set; }

    /// <summary>The name of what says which is better.</summary>
    public string Metric => metric.Name;

    /// <summary>Goes on from a checkpoint.</summary>
    public void Restore(EvaluationState state, IReadOnlyDictionary<string, Tensor>? weights) =>
        (State, Weights) = (state, weights);

    /// <summary>Takes an evaluation in.</summary>
    /// <param name="evaluation">What was measured.</param>
    /// <param name="weights">Copies the weights it was measured with; null where they are not kept.</param>
    public void See(EvaluationMetrics evaluation, Func<IReadOnlyDictionary<string, Tensor>>? weights)
    {
        if (evaluation.Step == 0)
        {
            State = State with { Base = double.IsNaN(evaluation.Loss) ? null : evaluation };
            return;
        }

        var (value, best) = (metric.Of(evaluation), State.Best is { } found ? metric.Of(found) : double.NaN);
        var stale = metric.IsBetter(value, best, minDelta) ? 0 : State.Stale + 1;
        if (metric.IsBetter(value, best))
        {
            State = State with { Best = evaluation };
            Weights = weights?.Invoke();
        }

        State = State with { Stale = stale };
    }
}
