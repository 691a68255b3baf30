namespace OrtPeft.Cli.Bench;

/// <summary>How long a model takes plain, with an adapter beside its layers, and with the adapter merged.</summary>
internal sealed record InferenceBenchmarkResult
{
    /// <summary>The model without the adapter, to which ratios refer.</summary>
    public required VariantTimes Base { get; init; }

    /// <summary>The adapter's nodes beside the layers, as it is trained and as <c>--adapter</c> runs it.</summary>
    public required VariantTimes Unmerged { get; init; }

    /// <summary>The adapter folded into the weights; null where the method cannot be.</summary>
    public VariantTimes? Merged { get; init; }

    /// <summary>Whether the base takes and gives keys and values; without, every new token runs the whole
    /// sequence.</summary>
    public required bool HasCache { get; init; }

    /// <summary>Of the native library that ran, such as <c>1.29.0</c>.</summary>
    public required string OnnxRuntimeVersion { get; init; }
}
