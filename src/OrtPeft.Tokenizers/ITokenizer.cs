using System.Text;

namespace OrtPeft.Tokenizers;

/// <summary>
/// Text to token ids and back. Training and generation know a tokenizer only through this seam, so any other
/// implementation can be put in its place.
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
    /// <see cref="Encode(ReadOnlySpan{char})"/> does not add it; <see cref="TextStart.WithStart"/> does.
    /// </summary>
    int? BeginOfTextId => null;

    /// <summary>
    /// The tokens that a post-processor puts around a text; by default <see cref="BeginOfTextId"/> before it. <see
    /// cref="Encode(ReadOnlySpan{char})"/> does not add it.
    /// </summary>
    TextFrame Frame => BeginOfTextId is { } id ? new TextFrame([id], []) : TextFrame.None;

    /// <summary>
    /// Whether a text decodes to the bytes of its tokens put together (default). Where not, a token's text depends on its
    /// neighbours, as where the first token's space vanishes.
    /// </summary>
    bool HasFixedBytes => true;

    /// <summary>
    /// Splits text into token ids. Special tokens spelled out in the text are recognised; none are added that the
    /// text does not contain.
    /// </summary>
    /// <param name="text">Any UTF-16 text; a lone surrogate counts as U+FFFD.</param>
    /// <returns>The ids in text order; empty for empty text.</returns>
    IReadOnlyList<int> Encode(ReadOnlySpan<char> text);

    /// <summary>
    /// Splits text that continues other text: as <see cref="Encode(ReadOnlySpan{char})"/>, but nothing is put before
    /// it, such as
    /// <c>add_prefix_space</c>'s space. By default the same.
    /// </summary>
    /// <param name="text">Any UTF-16 text; a lone surrogate counts as U+FFFD.</param>
    /// <returns>The ids in text order; empty for empty text.</returns>
    IReadOnlyList<int> EncodeContinuation(ReadOnlySpan<char> text) => Encode(text);

    /// <summary>Splits text into token ids, special tokens taken as the caller says.</summary>
    /// <param name="text">Any UTF-16 text; a lone surrogate counts as U+FFFD.</param>
    /// <param name="handling">Use <see cref="SpecialTokenHandling.TreatAsText"/> for text from strangers; a tokenizer
    /// without special tokens need not know it.</param>
    /// <returns>The ids in text order; empty for empty text.</returns>
    IReadOnlyList<int> Encode(ReadOnlySpan<char> text, SpecialTokenHandling handling) => Encode(text);

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

    /// <summary>Whether a token marks structure, such as the end of a text, and is not text; by default none does.</summary>
    bool IsSpecial(int id) => false;

    /// <summary>How the vocabulary spells a token; by default its bytes as UTF-8.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id lies outside the vocabulary.</exception>
    string SpellingOf(int id) => Encoding.UTF8.GetString(GetBytes(id));
}
