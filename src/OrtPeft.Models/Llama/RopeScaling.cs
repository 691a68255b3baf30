namespace OrtPeft.Models.Llama;

/// <summary>
/// <c>rope_scaling</c>: how rotary angles are slowed down for sequences longer than those that a model first learned.
/// Immutable.
/// </summary>
public sealed record RopeScaling
{
    /// <summary>
    /// <c>rope_type</c>: <c>default</c> (nothing changes), <c>linear</c> or <c>llama3</c>.
    /// </summary>
    public required string Type { get; init; }

    /// <summary><c>factor</c>: how many times slower the slow pairs turn, over 0. Default 1.</summary>
    public float Factor { get; init; } = 1;

    /// <summary>
    /// <c>low_freq_factor</c>, llama3: pairs that turn fewer times than this within
    /// <see cref="OriginalPositions"/> are slowed in full. Over 0; default 1.
    /// </summary>
    public float LowFrequencyFactor { get; init; } = 1;

    /// <summary>
    /// <c>high_freq_factor</c>, llama3: pairs that turn more often than this within <see cref="OriginalPositions"/>
    /// stay. Over <see cref="LowFrequencyFactor"/>; default 4.
    /// </summary>
    public float HighFrequencyFactor { get; init; } = 4;

    /// <summary>
    /// <c>original_max_position_embeddings</c>, llama3: the longest sequence before, in tokens. Default 8192.
    /// </summary>
    public int OriginalPositions { get; init; } = 8192;
}
