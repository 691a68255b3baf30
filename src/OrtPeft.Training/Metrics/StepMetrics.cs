namespace OrtPeft.Training.Metrics;

/// <summary>The measurements of one optimiser step. A number that is not finite is written as <c>null</c>.</summary>
public sealed record StepMetrics
{
    /// <summary>The step, from 1.</summary>
    public required int Step { get; init; }

    /// <summary>How often the data has been gone through after this step, in epochs.</summary>
    public required double Epoch { get; init; }

    /// <summary>The mean loss over the step's supervised tokens before the update, in nats.</summary>
    public required double Loss { get; init; }

    /// <summary>The rate the update was made with, schedule included.</summary>
    public required double LearningRate { get; init; }

    /// <summary>
    /// The Euclidean norm of all gradients together before clipping; NaN where the runtime does not tell, as ONNX
    /// Runtime's training session, and in a step that <see cref="IsSkipped"/>.
    /// </summary>
    public required double GradNorm { get; init; }

    /// <summary>Whether the step moved nothing: gradients in float16 were not finite at this loss scale, which was then halved.
    /// Default false.</summary>
    public bool IsSkipped { get; init; }

    /// <summary>Tokens of this step's batches, padding left out.</summary>
    public required long Tokens { get; init; }

    /// <summary><see cref="Tokens"/> over <see cref="Seconds"/>.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>The step's wall-clock time, in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>The part of <see cref="Seconds"/> in which processes that train together exchanged gradients, without what
    /// they waited for each other; null (default) for one process. Seconds.</summary>
    public double? CommunicationSeconds { get; init; }
}
