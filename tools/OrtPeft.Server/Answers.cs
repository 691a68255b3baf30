using System.Runtime.CompilerServices;
using System.Threading.Channels;
using OrtPeft.Inference.Generation;
using OrtPeft.Serving;
using OrtPeft.Serving.Texts;

namespace OrtPeft.Server;

/// <summary>The answers to one request, which are computed side by side. Dispose it to stop them.</summary>
internal sealed class Answers : IDisposable
{
    private readonly List<TextStream> _streams = [];

    private Answers()
    {
    }

    /// <summary>The answers, in the order of the prompts, and those to one prompt beside each other.</summary>
    public IReadOnlyList<TextStream> Streams => _streams;

    /// <summary>Starts them: all or none.</summary>
    /// <param name="served">The model.</param>
    /// <param name="prompts">The prompts' tokens.</param>
    /// <param name="sampling">The request; every further answer has a seed one higher.</param>
    /// <param name="top">How many tokens' probabilities are wanted.</param>
    /// <param name="isTrimmed">Whether white space around answers is left out.</param>
    /// <param name="cancellation">Stops them.</param>
    public static Answers Start(
        ServedModel served,
        IReadOnlyList<IReadOnlyList<int>> prompts,
        Sampling sampling,
        int? top,
        bool isTrimmed,
        CancellationToken cancellation)
    {
        var count = prompts.Count * sampling.Count;
        if (count > served.Capacity)
        {
            // Trying again later would not help.
            throw ApiException.Field(
                sampling.Count > 1 ? "n" : "prompt",
                $"the request asks for {count} answers, and this server has room for {served.Capacity}; send several requests.");
        }

        var answers = new Answers();
        try
        {
            foreach (var prompt in prompts)
            {
                for (var n = 0; n < sampling.Count; n++)
                {
                    answers._streams.Add(served.Start(
                        new TextRequest
                        {
                            Prompt = prompt,
                            Model = sampling.Model,
                            Options = sampling.Options with { Seed = unchecked(sampling.Options.Seed + n) },
                            StopTexts = sampling.Stops,
                            TopLogProbabilities = top,
                            IsTrimmed = isTrimmed,
                        },
                        cancellation));
                }
            }

            return answers;
        }
        catch
        {
            answers.Dispose();
            throw;
        }
    }

    /// <summary>Tokens of the prompts, each counted once.</summary>
    public int PromptTokens(int count) => _streams.Where((_, i) => i % count == 0).Sum(static s => s.PromptTokens);

    /// <summary>Tokens of the answers so far.</summary>
    public int AnswerTokens => _streams.Sum(static s => s.AnswerTokens);

    /// <summary>The pieces of all answers as they come; an answer's end is a null.</summary>
    public async IAsyncEnumerable<(int Answer, TextPiece? Piece)> ReadAsync(
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var pieces = Channel.CreateBounded<(int, TextPiece?)>(64);
        var writing = WriteAllAsync(pieces.Writer, reading.Token);
        try
        {
            await foreach (var piece in pieces.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
                yield return piece;
        }
        finally
        {
            // Whoever stops reading stops the writers, which may wait for room.
            await reading.CancelAsync().ConfigureAwait(false);
            await writing.ConfigureAwait(false);
        }
    }

    /// <summary>Ends the channel with what went wrong, and throws nothing itself.</summary>
    private async Task WriteAllAsync(ChannelWriter<(int, TextPiece?)> pieces, CancellationToken cancellation)
    {
        try
        {
            await Task.WhenAll(_streams.Select((stream, i) => WriteAsync(stream, i))).ConfigureAwait(false);
            pieces.TryComplete();
        }
        catch (Exception e)
        {
            pieces.TryComplete(e);
        }

        async Task WriteAsync(TextStream stream, int i)
        {
            await foreach (var piece in stream.ReadAsync(cancellation).ConfigureAwait(false))
                await pieces.WriteAsync((i, piece), cancellation).ConfigureAwait(false);
            await pieces.WriteAsync((i, null), cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>OpenAI's word for the end.</summary>
    public static string Reason(FinishReason reason) => reason == FinishReason.EndOfText ? "stop" : "length";

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var stream in _streams)
            stream.Dispose();
    }
}
