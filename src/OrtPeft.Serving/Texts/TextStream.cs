using System.Runtime.CompilerServices;
using OrtPeft.Inference.Generation;
using OrtPeft.Serving.Engine;
using OrtPeft.Tokenizers;

namespace OrtPeft.Serving.Texts;

/// <summary>An answer while it is computed. Dispose it: nobody computes it any more then.</summary>
internal sealed class TextStream : IDisposable
{
    private readonly ITokenizer _tokenizer;
    private readonly EngineRequest _answer;
    private readonly TextRequest _request;
    private readonly CancellationTokenSource _source;

    public TextStream(
        ITokenizer tokenizer, EngineRequest answer, TextRequest request, CancellationTokenSource source)
    {
        (_tokenizer, _answer, _request, _source) = (tokenizer, answer, request, source);
    }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens => _request.Prompt.Count;

    /// <summary>Tokens of the answer so far.</summary>
    public int AnswerTokens { get; private set; }

    /// <summary>Why it ended, once it has: the model's end or a stop text, or a limit.</summary>
    public FinishReason FinishReason { get; private set; }

    /// <summary>The answer, piece by piece; can be read once.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async IAsyncEnumerable<TextPiece> ReadAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var decoder = new TokenStreamDecoder(_tokenizer);
        var scanner = new StopScanner(_request.StopTexts);
        var trimmer = _request.IsTrimmed ? new WhiteSpace() : null;
        await foreach (var token in _answer.Tokens.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            AnswerTokens++;
            var text = Trimmed(scanner.Append(decoder.Append(token.Id)));
            yield return new TextPiece(text, token);
            if (scanner.Found is null)
                continue;
            await _source.CancelAsync().ConfigureAwait(false);
            FinishReason = FinishReason.EndOfText;
            yield break;
        }

        FinishReason = _answer.FinishReason ?? FinishReason.EndOfText;
        var rest = Trimmed(scanner.Append(decoder.Flush()) + (scanner.Found is null ? scanner.Flush() : ""));
        if (scanner.Found is not null)
            FinishReason = FinishReason.EndOfText;
        if (rest.Length > 0)
            yield return new TextPiece(rest, null);

        string Trimmed(string piece) => trimmer is null ? piece : trimmer.Inside(piece);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _source.Cancel();
        _source.Dispose();
    }

    /// <summary>Leaves white space around a text out.</summary>
    private sealed class WhiteSpace
    {
        private string _held = "";
        private bool _hasBegun;

        /// <summary>Takes a piece; returns the text that is now known to be inside.</summary>
        public string Inside(string piece)
        {
            var text = _hasBegun ? _held + piece : (_held + piece).TrimStart();
            var free = text.TrimEnd().Length;
            _held = text[free..];
            _hasBegun |= free > 0;
            return text[..free];
        }
    }
}
