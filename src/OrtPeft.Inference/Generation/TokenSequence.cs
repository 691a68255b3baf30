using System.Collections;

namespace OrtPeft.Inference.Generation;

/// <summary>
/// The tokens that continue a prompt, computed while they are enumerated. Every enumeration runs the model anew and
/// gives the same tokens; only the last one's outcome is kept. Not thread-safe.
/// </summary>
public sealed class TokenSequence : IEnumerable<int>
{
    private readonly Generator _generator;
    private readonly int[] _prompt;
    private readonly GenerationOptions _options;
    private readonly CancellationToken _cancellationToken;

    internal TokenSequence(
        Generator generator, int[] prompt, GenerationOptions options, CancellationToken cancellationToken)
    {
        _generator = generator;
        _prompt = prompt;
        _options = options;
        _cancellationToken = cancellationToken;
    }

    /// <summary>Why the tokens ended; null until an enumeration has come to its end.</summary>
    public FinishReason? FinishReason { get; private set; }

    /// <summary>Runs the model token by token.</summary>
    /// <returns>The tokens; disposing the enumerator, as <c>foreach</c> does, frees the caches.</returns>
    /// <exception cref="OperationCanceledException">Generation was cancelled; thrown while enumerating.</exception>
    public IEnumerator<int> GetEnumerator()
    {
        FinishReason = null;
        var sampler = new Sampler(_options);
        using var state = new DecoderState(_generator);
        var fresh = _prompt;
        for (var count = 1; ; count++)
        {
            _cancellationToken.ThrowIfCancellationRequested();
            var token = state.Next(fresh, sampler);
            if (token == _options.EosTokenId || _options.StopTokenIds.Contains(token))
            {
                FinishReason = Generation.FinishReason.EndOfText;
                yield break;
            }

            yield return token;
            FinishReason = Limit(count, state.Length);
            if (FinishReason is not null)
                yield break;
            fresh = [token];
        }
    }

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The reason why no further token may follow <paramref name="count"/>, the last of them not yet in the
    /// sequence.</summary>
    private FinishReason? Limit(int count, int length)
    {
        if (count >= _options.MaxNewTokens)
            return Generation.FinishReason.Length;
        return length >= _options.ContextLength ? Generation.FinishReason.Context : null;
    }
}
