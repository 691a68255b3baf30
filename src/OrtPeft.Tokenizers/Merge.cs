namespace OrtPeft.Tokenizers;

/// <summary>What a pair becomes and how early: the lowest rank is merged first.</summary>
internal readonly record struct Merge(int Rank, int Result)
{
    public static readonly Merge None = new(-1, -1);

    public bool Exists => Rank >= 0;
}
