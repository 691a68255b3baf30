namespace OrtPeft.Training.Metrics;

/// <summary>The measurements of an evaluation during training.</summary>
public sealed record EvaluationMetrics
{
    /// <summary>The optimiser steps done when it ran, from 0.</summary>
    public required int Step { get; init; }

    /// <summary>The mean loss over all supervised tokens of the evaluation data, in nats.</summary>
    public required double Loss { get; init; }

    /// <summary>e to the power of <see cref="Loss"/>; written as <c>null</c> where that is not finite.</summary>
    public double Perplexity => Math.Exp(Loss);
}
