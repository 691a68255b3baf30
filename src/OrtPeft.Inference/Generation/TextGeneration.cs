using OrtPeft.Tokenizers;

namespace OrtPeft.Inference.Generation;

/// <summary>Generation from text to text: what a tokenizer adds to <see cref="Generator"/>.</summary>
public static class TextGeneration
{
    /// <summary>
    /// Prepares a continuation of a text. The tokenizer supplies the end-of-text token and the vocabulary's size where
    /// the options leave them out, and the token that starts every text where the model expects one; without that, an
    /// empty text starts from the end-of-text token, as GPT-2's training texts do.
    /// </summary>
    /// <param name="generator">The model.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="prompt">The text to continue; special tokens spelled out in it count as such.</param>
    /// <param name="options">How to choose tokens and when to stop; greedy, 50 tokens when left out.</param>
    /// <param name="cancellationToken">Ends the enumeration between two tokens.</param>
    /// <returns>The new tokens; <see cref="StreamText"/> makes text of them.</returns>
    /// <exception cref="ArgumentException">The prompt is longer than the context, or empty while the tokenizer names no
    /// end of text; or an option leaves its range.</exception>
    public static TokenSequence Generate(
        this Generator generator,
        ITokenizer tokenizer,
        string prompt,
        GenerationOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(generator);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(prompt);
        options ??= new GenerationOptions();
        var ids = tokenizer.WithStart(tokenizer.Encode(prompt));
        if (ids.Count == 0 && tokenizer.EndOfTextId is { } start)
            ids = [start];
        return generator.Generate(
            ids,
            options with
            {
                EosTokenId = options.EosTokenId ?? tokenizer.EndOfTextId,
                VocabularySize = options.VocabularySize ?? tokenizer.VocabularySize,
            },
            cancellationToken);
    }

    /// <summary>Turns tokens into text as they come; a character split over tokens comes out once it is
    /// whole.</summary>
    /// <param name="tokenizer">The tokenizer that knows the tokens.</param>
    /// <param name="tokens">The tokens; taken one by one, only when the next piece is asked for.</param>
    /// <returns>Pieces, none empty; an unfinished character at the end comes out as U+FFFD.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A token lies outside the vocabulary; thrown while
    /// enumerating.</exception>
    public static IEnumerable<string> StreamText(this ITokenizer tokenizer, IEnumerable<int> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(tokens);
        return Pieces(new TokenStreamDecoder(tokenizer), tokens).Where(static piece => piece.Length > 0);
    }

    private static IEnumerable<string> Pieces(TokenStreamDecoder decoder, IEnumerable<int> tokens)
    {
        foreach (var token in tokens)
            yield return decoder.Append(token);
        yield return decoder.Flush();
    }
}
