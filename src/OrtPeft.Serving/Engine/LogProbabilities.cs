namespace OrtPeft.Serving.Engine;

/// <summary>Reads logarithms of probabilities off logits.</summary>
internal static class LogProbabilities
{
    /// <summary>A token's, and the likeliest tokens'.</summary>
    /// <param name="logits">One per token.</param>
    /// <param name="token">The token.</param>
    /// <param name="count">How many of the likeliest.</param>
    public static EngineToken Of(ReadOnlySpan<float> logits, int token, int count)
    {
        var largest = float.NegativeInfinity;
        foreach (var logit in logits)
            largest = Math.Max(largest, logit);
        var sum = 0.0;
        foreach (var logit in logits)
            sum += Math.Exp((double)logit - largest);
        var norm = largest + Math.Log(sum);
        var best = new PriorityQueue<int, (float, int)>(count + 1);
        for (var id = 0; id < logits.Length && count > 0; id++)
        {
            if (best.Count == count && best.TryPeek(out _, out var least) && (logits[id], -id).CompareTo(least) <= 0)
                continue;
            best.Enqueue(id, (logits[id], -id));
            if (best.Count > count)
                best.Dequeue();
        }

        var likeliest = new (int, double)[best.Count];
        for (var at = likeliest.Length - 1; at >= 0; at--)
        {
            var id = best.Dequeue();
            likeliest[at] = (id, logits[id] - norm);
        }

        return new EngineToken(token, logits[token] - norm, likeliest);
    }
}
