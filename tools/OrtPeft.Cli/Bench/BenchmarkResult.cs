namespace OrtPeft.Cli.Bench;

/// <summary>The results of a benchmark.</summary>
internal sealed record BenchmarkResult
{
    /// <summary>The median of the timed steps, optimiser included. Milliseconds.</summary>
    public required double MedianStepMilliseconds { get; init; }

    /// <summary>The fastest of the timed steps. Milliseconds.</summary>
    public required double LeastStepMilliseconds { get; init; }

    /// <summary>The very first step. Seconds.</summary>
    public required double FirstStepSeconds { get; init; }

    /// <summary>From the adapted model to sessions that can train. Seconds.</summary>
    public required double SessionSeconds { get; init; }

    /// <summary>Tokens of a batch, padding none, over the median step.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>The loss of the last step: random tokens' is near ln(vocabulary).</summary>
    public required double LastLoss { get; init; }

    /// <summary>The largest resident size of the process so far. Bytes; 0 where the system does not say.</summary>
    public required long PeakResidentBytes { get; init; }

    /// <summary>Multiply-adds of the step's matrix products, twice, over the median step. 10⁹ per second.</summary>
    public required double ModelGflops { get; init; }

    /// <summary>
    /// The speed that one large product with a constant matrix reaches in the same process with the same threads. 10⁹
    /// multiply-adds, twice, per second.
    /// </summary>
    public required double GemmGflops { get; init; }

    /// <summary><see cref="ModelGflops"/> over <see cref="GemmGflops"/>: 1 would be nothing but matrix
    /// products.</summary>
    public double GemmFraction => ModelGflops / GemmGflops;

    /// <summary>Whose kernel multiplied with frozen weights: a name of <see
    /// cref="OrtPeft.Training.Runtime.ProductKernel"/>.</summary>
    public required string ProductKernel { get; init; }

    /// <summary>The number of elements that trained.</summary>
    public required long TrainableParameters { get; init; }

    /// <summary>Of the native library that ran, such as <c>1.29.0</c>.</summary>
    public required string OnnxRuntimeVersion { get; init; }

    /// <summary>Each node's time, or null when it was not asked for.</summary>
    public StepProfile? Profile { get; init; }

    /// <summary>With a profile, the names of the speedups that found nothing to do in the training graph.</summary>
    public IReadOnlyList<string> FoundNothing { get; init; } = [];
}
