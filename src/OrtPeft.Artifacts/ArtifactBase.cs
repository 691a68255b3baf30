namespace OrtPeft.Artifacts;

/// <summary>Facts of the model that artifacts were made from; informative but for the limits on rows.</summary>
public sealed record ArtifactBase
{
    /// <summary>The name by which the user gave the model; null (default) when it had no name.</summary>
    public string? Name { get; init; }

    /// <summary>The operator set of the graphs; null (default) when not stated.</summary>
    public long? Opset { get; init; }

    /// <summary>The most tokens of a row, the adapter's positions included; null (default) when unknown.</summary>
    public int? ContextLength { get; init; }

    /// <summary>One more than the largest token id; null (default) when unknown.</summary>
    public int? VocabularySize { get; init; }

    /// <summary>Elements of all weights, the adapter's included; null (default) when not counted.</summary>
    public long? TotalParameters { get; init; }

    /// <summary>Tells the model from others, by which checkpoints know their base; null (default) when
    /// unknown.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Tells the initial weights from others, likewise; null (default) when unknown.</summary>
    public string? InitialWeights { get; init; }
}
