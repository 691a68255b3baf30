namespace OrtPeft.Inference.Generation;

/// <summary>
/// The tokens that sampling chooses from, filtered in HF's order: temperature, top-k, top-p, min-p, typical-p. Weights are
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
        var likeliest = TopP(TopK(all, logits, options.TopK ?? 0), options.TopP ?? 1);
        return Typical(MinP(likeliest, options.MinP ?? 0), options.TypicalP ?? 1);
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

    /// <summary>Tokens whose weight is at least a part of the likeliest one's, which is 1.</summary>
    private static Candidate[] MinP(Candidate[] candidates, double p) =>
        p == 0 ? candidates : Array.FindAll(candidates, candidate => candidate.Weight >= p);

    /// <summary>
    /// The tokens whose surprise −ln(q) is nearest to the entropy Σ −q·ln(q), until their sum reaches p; the one that
    /// reaches it stays. Of equally near tokens the earlier one comes first.
    /// </summary>
    private static Candidate[] Typical(Candidate[] candidates, double p)
    {
        if (p >= 1)
            return candidates;
        var sum = candidates.Sum(static candidate => candidate.Weight);
        var entropy = candidates.Sum(candidate => Surprise(candidate, sum) * candidate.Weight / sum);
        var nearest = candidates.Where(static candidate => candidate.Weight > 0)
            .OrderBy(candidate => Math.Abs(Surprise(candidate, sum) - entropy)).ToArray();
        var (count, reached) = (0, 0.0);
        while (count < nearest.Length && reached < p * sum)
            reached += nearest[count++].Weight;
        return nearest[..count];
    }

    /// <summary>−ln of a probability; 0 for a token that never comes, which adds nothing to the entropy.</summary>
    private static double Surprise(Candidate candidate, double sum) =>
        candidate.Weight == 0 ? 0 : -Math.Log(candidate.Weight / sum);

    /// <summary>Adds small weights first, which loses the least.</summary>
    private static double Sum(Candidate[] descending)
    {
        var sum = 0.0;
        for (var i = descending.Length - 1; i >= 0; i--)
            sum += descending[i].Weight;
        return sum;
    }
}
