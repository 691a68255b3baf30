namespace OrtPeft.Tokenizers;

/// <summary>The result of merging a pair, and its rank: the lowest is merged first.</summary>
internal readonly record struct Merge(int Rank, int Result)
{
    public static readonly Merge None = new(-1, -1);

    public bool Exists => Rank >= 0;
}
