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

    /// <summary>The share of supervised tokens that the model finds most likely, each after the right ones before it; null
    /// where it was not measured.</summary>
    public double? TokenAccuracy { get; init; }

    /// <summary>The share of answers that are the expected ones; null where it was not measured.</summary>
    public double? ExactMatch { get; init; }

    /// <summary>The mean ROUGE-L of answers, 0 to 1; null where it was not measured.</summary>
    public double? RougeL { get; init; }

    /// <summary>The share of answers that are JSON; null where it was not measured.</summary>
    public double? JsonValid { get; init; }
}
