using OrtPeft.Tensors;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Evaluations;

/// <summary>
/// The weights with the lowest evaluation loss after a step, and how many evaluations ago that was. A loss that is not a
/// number is never the lowest.
/// </summary>
/// <param name="minDelta">By how much an evaluation has to be better than the best one to count as progress.</param>
internal sealed class BestWeights(double minDelta)
{
    /// <summary>The part that is written into checkpoints.</summary>
    public EvaluationState State { get; private set; } = EvaluationState.None;

    /// <summary>The weights, by parameter; null before an evaluation, and where they are not kept.</summary>
    public IReadOnlyDictionary<string, Tensor>? Weights { get; private set; }

    /// <summary>The evaluation before the first step; null where there was none.</summary>
    public EvaluationMetrics? Base => double.IsNaN(State.BaseLoss) ? null : new() { Step = 0, Loss = State.BaseLoss };

    /// <summary>The best evaluation; null where there was none.</summary>
    public EvaluationMetrics? Best =>
        double.IsNaN(State.BestLoss) ? null : new() { Step = State.BestStep, Loss = State.BestLoss };

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
            State = State with { BaseLoss = evaluation.Loss };
            return;
        }

        var isFirst = double.IsNaN(State.BestLoss) && !double.IsNaN(evaluation.Loss);
        var isProgress = isFirst || evaluation.Loss < State.BestLoss - minDelta;
        var stale = isProgress ? 0 : State.Stale + 1;
        if (isFirst || evaluation.Loss < State.BestLoss)
        {
            State = State with { BestLoss = evaluation.Loss, BestStep = evaluation.Step };
            Weights = weights?.Invoke();
        }

        State = State with { Stale = stale };
    }
}
