namespace OrtPeft.Models.Rotary;

/// <summary>How fast the pairs of a head's elements turn.</summary>
internal sealed record RopeFrequencies
{
    /// <summary>The angle per token of each pair.</summary>
    public required double[] Angles { get; init; }

    /// <summary>The angles once a sequence is longer than <see cref="Limit"/> tokens; null where they stay.</summary>
    public double[]? LongAngles { get; init; }

    /// <summary>
    /// Where sequences longer than <see cref="Limit"/> turn the slower the longer they are: with the length n, pair i
    /// of d/2 turns s^(−2i/(d−2)) times as fast, s = g·n/limit − (g − 1). Null where they do not.
    /// </summary>
    public double? Growth { get; init; }

    /// <summary>The longest sequence, in tokens, that turns as <see cref="Angles"/> says.</summary>
    public int Limit { get; init; }

    /// <summary>The factor of cosines and sines.</summary>
    public double AttentionFactor { get; init; } = 1;
}
