namespace OrtPeft.Models;

/// <summary>
/// <c>rope_scaling</c>: how rotary angles are slowed down for sequences longer than those that a model first learned.
/// Immutable.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/internal/rope_utils"/>
public sealed record RopeScaling
{
    /// <summary>
    /// <c>rope_type</c>: <c>default</c> (nothing changes), <c>linear</c>, <c>dynamic</c>, <c>yarn</c>,
    /// <c>longrope</c>, <c>llama3</c> or <c>proportional</c>.
    /// </summary>
    public required string Type { get; init; }

    /// <summary><c>factor</c>: how many times longer sequences may become, over 0. Default 1.</summary>
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
    /// <c>original_max_position_embeddings</c>, llama3, yarn and longrope: the longest sequence before, in tokens.
    /// Default 8192.
    /// </summary>
    public int OriginalPositions { get; init; } = 8192;

    /// <summary>
    /// <c>attention_factor</c>, yarn and longrope: what cosines and sines are multiplied by; null (default) takes the
    /// paper's value.
    /// </summary>
    public double? AttentionFactor { get; init; }

    /// <summary>
    /// <c>beta_fast</c>, yarn: pairs that turn more often than this within <see cref="OriginalPositions"/> stay.
    /// Default 32.
    /// </summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>
    /// <c>beta_slow</c>, yarn: pairs that turn fewer times than this are slowed in full. Default 1.
    /// </summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary><c>mscale</c>, yarn: with <see cref="MScaleAllDim"/> the attention factor; 0 (default) is
    /// none.</summary>
    public double MScale { get; init; }

    /// <summary><c>mscale_all_dim</c>, yarn: what <see cref="MScale"/> is held against; 0 (default) is none.</summary>
    public double MScaleAllDim { get; init; }

    /// <summary>
    /// <c>truncate</c>, yarn: whether the bounds between pairs that stay and that slow are whole pairs. Default true.
    /// </summary>
    public bool Truncate { get; init; } = true;

    /// <summary>
    /// <c>partial_rotary_factor</c>, proportional: the share of pairs that turn, as fast as if all did; the others stand.
    /// From 0 to 1 (default).
    /// </summary>
    public double Part { get; init; } = 1;

    /// <summary><c>short_factor</c>, longrope: the divisors up to <see cref="OriginalPositions"/>.</summary>
    public RopeFactors? ShortFactors { get; init; }

    /// <summary><c>long_factor</c>, longrope: the divisors of sequences longer than that.</summary>
    public RopeFactors? LongFactors { get; init; }
}
