namespace OrtPeft.Training;

/// <summary>The loss of rows under a model.</summary>
/// <param name="LossSum">The sum over all supervised elements; of tokens in nats.</param>
/// <param name="Count">The number of supervised elements.</param>
public sealed record EvaluationResult(double LossSum, long Count)
{
    /// <summary>The mean loss; NaN when nothing was supervised.</summary>
    public double Loss => Count == 0 ? double.NaN : LossSum / Count;

    /// <summary>e to the power of <see cref="Loss"/>.</summary>
    public double Perplexity => Math.Exp(Loss);
}
