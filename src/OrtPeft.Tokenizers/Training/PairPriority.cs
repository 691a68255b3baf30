namespace OrtPeft.Tokenizers.Training;

/// <summary>Order of merging: a pair with the count it had when it was queued, and the bytes that break ties.</summary>
internal readonly record struct PairPriority(long Count, byte[] Left, byte[] Right) : IComparable<PairPriority>
{
    /// <summary>Higher counts first, then by left bytes, then by right bytes.</summary>
    public int CompareTo(PairPriority other)
    {
        if (Count != other.Count)
            return other.Count.CompareTo(Count);
        var byLeft = Left.AsSpan().SequenceCompareTo(other.Left);
        return byLeft != 0 ? byLeft : Right.AsSpan().SequenceCompareTo(other.Right);
    }
}
