using System.Threading.Channels;
using OrtPeft.Inference.Generation;
using OrtPeft.Serving.Embeddings;

namespace OrtPeft.Serving.Engine;

/// <summary>A request that one caller waits for. The engine's thread writes, the caller reads.</summary>
internal sealed class EngineRequest : IDisposable
{
    private readonly Channel<EngineToken> _tokens = Channel.CreateUnbounded<EngineToken>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly Sampler _sampler;
    private readonly int _promptLength;
    private readonly CancellationTokenRegistration _registration;

    /// <summary>Makes a request.</summary>
    /// <param name="slot">The adapter's.</param>
    /// <param name="prompt">The tokens to continue, at least one.</param>
    /// <param name="options">How tokens are chosen and when to stop.</param>
    /// <param name="likeliest">How many tokens' probabilities are wanted beside each; null for none, not even its own.</param>
    /// <param name="wake">Is called when it is cancelled.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="pool">Receives the prompt's hidden states; then no token is chosen. Null for an answer.</param>
    public EngineRequest(
        EngineSlot slot,
        IReadOnlyList<int> prompt,
        GenerationOptions options,
        int? likeliest,
        Action wake,
        CancellationToken cancellation,
        HiddenPool? pool = null)
    {
        (Slot, Options, Likeliest, Cancellation, Pool) = (slot, options, likeliest, cancellation, pool);
        Row = new EngineRow(slot.Index, prompt.Select(static id => (long)id));
        _promptLength = prompt.Count;
        _sampler = new Sampler(options);
        _registration = cancellation.UnsafeRegister(static state => ((Action)state!)(), wake);
    }

    public EngineSlot Slot { get; }

    public EngineRow Row { get; }

    public GenerationOptions Options { get; }

    public int? Likeliest { get; }

    public CancellationToken Cancellation { get; }

    public HiddenPool? Pool { get; }

    /// <summary>Why the tokens ended; null before.</summary>
    public FinishReason? FinishReason { get; private set; }

    /// <summary>The answer; ends, or fails with what went wrong.</summary>
    public ChannelReader<EngineToken> Tokens => _tokens.Reader;

    /// <summary>Tokens that the model has to hold at most.</summary>
    public int LongestLength =>
        (int)Math.Min((long)_promptLength + Options.MaxNewTokens, Options.ContextLength ?? int.MaxValue);

    /// <summary>Whether it has ended.</summary>
    public bool IsOver { get; private set; }

    /// <summary>How many tokens were given out.</summary>
    public int Count { get; private set; }

    /// <summary>Takes the logits after the last token.</summary>
    public void Take(ReadOnlySpan<float> logits)
    {
        try
        {
            var token = _sampler.Next(logits, Row.Ids, _promptLength);
            if (token == Options.EosTokenId || Options.StopTokenIds.Contains(token))
            {
                End(Inference.Generation.FinishReason.EndOfText);
                return;
            }

            Count++;
            _tokens.Writer.TryWrite(Likeliest is { } likeliest
                ? LogProbabilities.Of(logits, token, likeliest)
                : new EngineToken(token, null, []));
            if (Count >= Options.MaxNewTokens)
                End(Inference.Generation.FinishReason.Length);
            else if (Row.Ids.Count >= Options.ContextLength)
                End(Inference.Generation.FinishReason.Context);
            else
                Row.Ids.Add(token);
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    /// <summary>Ends it without a token: the hidden states are pooled.</summary>
    public void Finish() => End(Inference.Generation.FinishReason.EndOfText);

    /// <summary>Ends it with an error.</summary>
    public void Fail(Exception e)
    {
        IsOver = true;
        _tokens.Writer.TryComplete(e);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _registration.Unregister();
        Row.Dispose();
    }

    private void End(FinishReason reason)
    {
        (FinishReason, IsOver) = (reason, true);
        _tokens.Writer.TryComplete();
    }
}
