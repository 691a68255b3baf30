using System.Text;

namespace OrtPeft.Tokenizers;

/// <summary>
/// Turns ids that arrive one at a time into text, holding back the bytes of a character until its last byte is
/// there. The pieces, with <see cref="Flush"/> at the end, join to what <see cref="ITokenizer.Decode"/> gives.
/// </summary>
/// <remarks>Keeps up to three bytes between calls; use one per stream, from one thread.</remarks>
public sealed class TokenStreamDecoder
{
    private readonly ITokenizer _tokenizer;
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    /// <summary>Starts an empty stream of the given tokenizer's ids.</summary>
    public TokenStreamDecoder(ITokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
    }

    /// <summary>Takes the next id and returns the text completed by it, empty while a character is unfinished.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id lies outside the vocabulary.</exception>
    public string Append(int id) => Read(_tokenizer.GetBytes(id), flush: false);

    /// <summary>
    /// Ends the stream: an unfinished character comes out as U+FFFD. The decoder is then ready for another stream.
    /// </summary>
    public string Flush() => Read([], flush: true);

    private string Read(ReadOnlySpan<byte> bytes, bool flush)
    {
        var chars = new char[_utf8.GetCharCount(bytes, flush)];
        int written = _utf8.GetChars(bytes, chars, flush);
        return new string(chars, 0, written);
    }
}
