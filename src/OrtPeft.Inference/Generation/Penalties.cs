namespace OrtPeft.Inference.Generation;

/// <summary>Makes tokens that are there already less likely.</summary>
internal static class Penalties
{
    /// <summary>The logits with each token's penalty; the same ones where there is none.</summary>
    public static ReadOnlySpan<float> Apply(
        ReadOnlySpan<float> logits, IReadOnlyList<long> tokens, int promptLength, GenerationOptions options)
    {
        if (options is { RepetitionPenalty: 1, PresencePenalty: 0, FrequencyPenalty: 0 })
            return logits;
        var penalised = logits.ToArray();
        foreach (var token in tokens.Distinct().Where(token => token < penalised.Length))
        {
            var logit = penalised[token];
            var factor = logit > 0 ? 1 / options.RepetitionPenalty : options.RepetitionPenalty;
            penalised[token] = (float)(logit * factor);
        }

        var answer = tokens.Skip(promptLength).Where(token => token < penalised.Length);
        foreach (var (token, count) in answer.CountBy(static token => token))
            penalised[token] -= (float)(options.PresencePenalty + (count * options.FrequencyPenalty));
        return penalised;
    }
}
