namespace OrtPeft.Tokenizers;

/// <summary>
/// Text to token ids and back. Training and generation know a tokenizer only through this seam, so any other
/// implementation can stand behind it.
/// </summary>
/// <remarks>Implementations are immutable and safe to call from several threads at once.</remarks>
public interface ITokenizer
{
    /// <summary>
    /// One more than the highest id, so an embedding needs at least this many rows. Ids below it that name no
    /// token decode to nothing.
    /// </summary>
    int VocabularySize { get; }

    /// <summary>The id that ends a text (<c>eos_token</c>), or <see langword="null"/> where none is named.</summary>
    int? EndOfTextId { get; }

    /// <summary>
    /// The id that a model expects before every text, or <see langword="null"/> (default) where it expects none.
    /// <see cref="Encode"/> does not add it; <see cref="TextStart.WithStart"/> does.
    /// </summary>
    int? BeginOfTextId => null;

    /// <summary>
    /// Splits text into token ids. Special tokens spelled out in the text are recognised; none are added that the
    /// text does not contain.
    /// </summary>
    /// <param name="text">Any UTF-16 text; a lone surrogate counts as U+FFFD.</param>
    /// <returns>The ids in text order; empty for empty text.</returns>
    IReadOnlyList<int> Encode(ReadOnlySpan<char> text);

    /// <summary>
    /// Splits text that goes on behind other text: as <see cref="Encode"/>, but nothing is put before it, such as
    /// <c>add_prefix_space</c>'s space. By default the same.
    /// </summary>
    /// <param name="text">Any UTF-16 text; a lone surrogate counts as U+FFFD.</param>
    /// <returns>The ids in text order; empty for empty text.</returns>
    IReadOnlyList<int> EncodeContinuation(ReadOnlySpan<char> text) => Encode(text);

    /// <summary>Joins the bytes of the tokens and reads them as UTF-8, malformed sequences becoming U+FFFD.</summary>
    /// <param name="ids">Ids in 0..<see cref="VocabularySize"/>−1; special tokens are written out.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id lies outside the vocabulary.</exception>
    string Decode(IEnumerable<int> ids);

    /// <summary>
    /// The UTF-8 bytes one token stands for; they may begin or end inside a character. See
    /// <see cref="TokenStreamDecoder"/> for turning a stream of tokens into text.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The id lies outside the vocabulary.</exception>
    ReadOnlySpan<byte> GetBytes(int id);
}
