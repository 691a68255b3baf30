namespace OrtPeft.Inference.Generation;

/// <summary>
/// The tokens that sampling chooses from, filtered in HF's order: temperature, top-k, top-p. Weights are
/// exp((logit − largest) / temperature), so none overflows; a token with weight 0 is never drawn.
/// </summary>
internal static class Candidates
{
    /// <summary>The allowed tokens of a row of logits whose largest is known; at least one, none of a weight below
    /// 0.</summary>
    public static Candidate[] Of(ReadOnlySpan<float> logits, float largest, GenerationOptions options)
    {
        var temperature = options.Temperature ?? 1;
        var all = new Candidate[logits.Length];
        for (var id = 0; id < all.Length; id++)
            all[id] = new Candidate(id, Math.Exp(((double)logits[id] - largest) / temperature));
        return TopP(TopK(all, logits, options.TopK ?? 0), options.TopP ?? 1);
    }

    /// <summary>Tokens whose logit is not below the K-th largest; ties with it stay, as in HF. Order is kept.</summary>
    private static Candidate[] TopK(Candidate[] candidates, ReadOnlySpan<float> logits, int k)
    {
        if (k == 0 || k >= candidates.Length)
            return candidates;
        var sorted = logits.ToArray();
        Array.Sort(sorted);
        var threshold = sorted[^k];
        var kept = new List<Candidate>(k);
        foreach (var candidate in candidates)
        {
            if (logits[candidate.Id] >= threshold)
                kept.Add(candidate);
        }

        return [.. kept];
    }

    /// <summary>
    /// From the least likely token up, drops tokens while the dropped sum stays at or below 1 − p: what is left is the
    /// smallest set that reaches p. Of equally likely tokens the later id goes first.
    /// </summary>
    private static Candidate[] TopP(Candidate[] candidates, double p)
    {
        if (p >= 1)
            return candidates;
        var sorted = (Candidate[])candidates.Clone();
        Array.Sort(sorted, static (a, b) => a.Weight != b.Weight ? b.Weight.CompareTo(a.Weight) : a.Id.CompareTo(b.Id));
        var limit = (1 - p) * Sum(sorted);
        var dropped = 0.0;
        var count = sorted.Length;
        while (count > 1 && (dropped += sorted[count - 1].Weight) <= limit)
            count--;
        return sorted[..count];
    }

    /// <summary>Adds small weights first, which loses the least.</summary>
    private static double Sum(Candidate[] descending)
    {
        var sum = 0.0;
        for (var i = descending.Length - 1; i >= 0; i--)
            sum += descending[i].Weight;
        return sum;
    }
}
