using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Inference.Generation;

/// <summary>
/// Chooses the next token from a row of logits: the likeliest, or a draw after temperature, top-k, top-p, min-p and
/// typical-p in that order, as HF transformers does, penalties before all. The choices depend on options, logits and the
/// tokens so far only. Not thread-safe: one per sequence.
/// </summary>
internal sealed class Sampler
{
    private readonly GenerationOptions _options;
    private readonly SplitMix64 _random;

    /// <summary>Starts the sequence of choices from the seed.</summary>
    /// <param name="options">How to choose; the stopping rules play no part here.</param>
    /// <exception cref="ArgumentException">An option leaves its range.</exception>
    public Sampler(GenerationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _random = new SplitMix64(options.Seed, "sampling");
    }

    /// <summary>Chooses a token.</summary>
    /// <param name="logits">One unnormalised log-probability per token, <c>[vocabulary]</c>; −∞ forbids a
    /// token.</param>
    /// <returns>The token's id, below <see cref="GenerationOptions.VocabularySize"/>; of equally likely ones, greedy
    /// takes the lowest.</returns>
    /// <exception cref="ArgumentException">No logit is finite.</exception>
    /// <exception cref="NotFiniteNumberException">A logit is NaN or +∞.</exception>
    public int Next(ReadOnlySpan<float> logits) => Next(logits, [], 0);

    /// <summary>Chooses a token that comes after others.</summary>
    /// <param name="logits">As for the first one.</param>
    /// <param name="tokens">The tokens so far, the prompt's first.</param>
    /// <param name="promptLength">How many of them are the prompt's.</param>
    /// <returns>The token's id.</returns>
    /// <exception cref="ArgumentException">No logit is finite.</exception>
    /// <exception cref="NotFiniteNumberException">A logit is NaN or +∞.</exception>
    public int Next(ReadOnlySpan<float> logits, IReadOnlyList<long> tokens, int promptLength)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        logits = Penalties.Apply(logits, tokens, promptLength, _options);
        if (_options.VocabularySize < logits.Length)
            logits = logits[..(int)_options.VocabularySize];
        var best = Largest(logits);
        return _options.IsGreedy ? best : Draw(Candidates.Of(logits, logits[best], _options), best);
    }

    private int Draw(Candidate[] candidates, int best)
    {
        var sum = 0.0;
        foreach (var candidate in candidates)
            sum += candidate.Weight;
        var target = _random.NextDouble() * sum;
        foreach (var candidate in candidates)
        {
            target -= candidate.Weight;
            if (target < 0)
                return candidate.Id;
        }

        // Rounding left a rest as small as the last bits of the sum.
        return best;
    }

    private static int Largest(ReadOnlySpan<float> logits)
    {
        var best = -1;
        var largest = float.NegativeInfinity;
        for (var id = 0; id < logits.Length; id++)
        {
            if (float.IsNaN(logits[id]) || float.IsPositiveInfinity(logits[id]))
            {
                throw new NotFiniteNumberException(
                    $"The logit of token {id} is NaN or +∞; the weights or the graph's precision are at fault.");
            }

            if (logits[id] > largest)
            {
                best = id;
                largest = logits[id];
            }
        }

        return best >= 0
            ? best
            : throw new SessionException("No logit is finite: no token is allowed.");
    }
}
