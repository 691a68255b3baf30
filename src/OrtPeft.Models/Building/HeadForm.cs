namespace OrtPeft.Models.Building;

/// <summary>The heads of a model's attention, and how they score.</summary>
/// <param name="Heads">Heads of queries.</param>
/// <param name="CacheHeads">Heads of keys and values, each for as many of the queries' heads.</param>
/// <param name="HeadSize">Elements per head.</param>
internal sealed record HeadForm(int Heads, int CacheHeads, int HeadSize)
{
    /// <summary>The factor of scores; 1/√d if not given.</summary>
    public double Scale { get; init; } = 1 / Math.Sqrt(HeadSize);

    /// <summary>The bound c of scores, c·tanh(score / c); null where they have none.</summary>
    public float? Softcap { get; init; }

    /// <summary>The layers that see a few tokens back only; null where none does.</summary>
    public SlidingWindow? Window { get; init; }

    /// <summary>Whether several of the queries' heads share a head of keys.</summary>
    public bool IsGrouped => CacheHeads != Heads;

    /// <summary>Axes that a value by token gets for the queries' heads.</summary>
    public ReadOnlySpan<long> HeadAxes => IsGrouped ? [1, 2] : [1];
}
