using System.Text;

namespace OrtPeft.Tokenizers;

/// <summary>
/// Turns ids that arrive one at a time into text, holding back what a later id may still change: the bytes of a character
/// until its last byte is there. The pieces, with <see cref="Flush"/> at the end, join to what
/// <see cref="ITokenizer.Decode"/> gives.
/// </summary>
/// <remarks>Keeps a few bytes or ids between calls; use one per stream, from one thread.</remarks>
public sealed class TokenStreamDecoder
{
    private const char Replacement = '\uFFFD';

    private readonly ITokenizer _tokenizer;
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    /// <summary>Where a token's text depends on its neighbours: the ids that are out already, but needed before the
    /// next, then those that are held back.</summary>
    private readonly List<int> _ids = [];
    private int _out;

    /// <summary>Starts an empty stream of the given tokenizer's ids.</summary>
    public TokenStreamDecoder(ITokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
    }

    /// <summary>Takes the next id and returns the text it completes, empty while a character is unfinished.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id lies outside the vocabulary.</exception>
    public string Append(int id)
    {
        if (_tokenizer.HasFixedBytes)
            return Read(_tokenizer.GetBytes(id), flush: false);
        _tokenizer.GetBytes(id);
        _ids.Add(id);
        return Grown(flush: false);
    }

    /// <summary>
    /// Ends the stream: an unfinished character comes out as U+FFFD. The decoder is then ready for another stream.
    /// </summary>
    public string Flush()
    {
        if (_tokenizer.HasFixedBytes)
            return Read([], flush: true);
        var rest = Grown(flush: true);
        _ids.Clear();
        _out = 0;
        return rest;
    }

    private string Read(ReadOnlySpan<byte> bytes, bool flush)
    {
        var chars = new char[_utf8.GetCharCount(bytes, flush)];
        var written = _utf8.GetChars(bytes, chars, flush);
        return new string(chars, 0, written);
    }

    /// <summary>The text that the ids that are held back add to that of those before them.</summary>
    private string Grown(bool flush)
    {
        var before = _tokenizer.Decode(_ids.Take(_out));
        var now = _tokenizer.Decode(_ids);
        var isHeld = now.Length <= before.Length || now[^1] == Replacement;
        if (isHeld && !flush)
            return "";
        _ids.RemoveRange(0, _out);
        _out = _ids.Count;
        return now.Length > before.Length ? now[before.Length..] : "";
    }
}
