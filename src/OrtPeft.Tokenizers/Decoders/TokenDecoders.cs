using System.Globalization;
using System.Text;
using OrtPeft.Tokenizers.Alignment;
using OrtPeft.Tokenizers.Patterns;

namespace OrtPeft.Tokenizers.Decoders;

/// <summary>The steps that decoders are made of.</summary>
internal static class TokenDecoders
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>WordPiece's corrections to English text, in this order.</summary>
    private static readonly (string From, string To)[] Spaces =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ];

    /// <summary>Without a decoder tokens stand apart.</summary>
    public static List<string> Apart(List<string> tokens) => [string.Join(' ', tokens)];

    public static List<string> Fuse(List<string> tokens) => [string.Concat(tokens)];

    /// <summary>Reads the byte alphabet; a token with other letters is taken as it is spelled.</summary>
    public static List<string> ByteLevel(List<string> tokens)
    {
        using var bytes = new MemoryStream();
        foreach (var token in tokens)
            bytes.Write(ByteAlphabet.Read(token) ?? Encoding.UTF8.GetBytes(token));
        return [Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length)];
    }

    /// <summary>Joins runs of <c>&lt;0x41&gt;</c>; in a run that is not UTF-8 every byte is U+FFFD.</summary>
    public static List<string> ByteFallback(List<string> tokens)
    {
        var decoded = new List<string>(tokens.Count);
        var run = new List<byte>();
        foreach (var token in tokens)
        {
            if (ByteOf(token) is { } value)
            {
                run.Add(value);
                continue;
            }

            Flush(run, decoded);
            decoded.Add(token);
        }

        Flush(run, decoded);
        return decoded;
    }

    /// <summary>Takes a character off the ends of every token, up to so many times.</summary>
    public static TokenDecoder Strip(string content, int start, int stop) => tokens =>
        [.. tokens.Select(token => Stripped(token, content, start, stop))];

    public static TokenDecoder Replace(TextPattern pattern, string content) => tokens =>
        [.. tokens.Select(token => AlignedText.Of(token).Replace(pattern(token), content).Text)];

    /// <summary>The original BPE's: the mark at the end of a word becomes a space, but not in the last token.</summary>
    public static TokenDecoder WordEnds(string suffix) => tokens =>
    {
        var last = tokens.Count - 1;
        return [.. tokens.Select((token, i) => suffix.Length == 0 ? token
            : token.Replace(suffix, i == last ? "" : " ", StringComparison.Ordinal))];
    };

    public static TokenDecoder WordPiece(string prefix, bool cleansUp) => tokens =>
        [.. tokens.Select((token, i) =>
        {
            var joined = i == 0 ? token
                : token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..]
                : $" {token}";
            return cleansUp ? CleanUp(joined) : joined;
        })];

    private static string CleanUp(string text)
    {
        foreach (var (from, to) in Spaces)
            text = text.Replace(from, to, StringComparison.Ordinal);
        return text;
    }

    private static byte? ByteOf(string token)
    {
        var isByte = token is ['<', '0', 'x', _, _, '>'];
        var hex = NumberStyles.AllowHexSpecifier;
        return isByte && byte.TryParse(token.AsSpan(3, 2), hex, CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    private static void Flush(List<byte> run, List<string> decoded)
    {
        if (run.Count == 0)
            return;
        try
        {
            decoded.Add(Strict.GetString([.. run]));
        }
        catch (DecoderFallbackException)
        {
            decoded.AddRange(Enumerable.Repeat("\uFFFD", run.Count));
        }

        run.Clear();
    }

    private static string Stripped(string token, string content, int start, int stop)
    {
        var from = 0;
        for (var i = 0; i < start && string.CompareOrdinal(token, from, content, 0, content.Length) == 0; i++)
            from += content.Length;
        var to = token.Length;
        for (var i = 0; i < stop && to > from && token.AsSpan(from, to - from).EndsWith(content, StringComparison.Ordinal); i++)
            to -= content.Length;
        return token[from..to];
    }
}
