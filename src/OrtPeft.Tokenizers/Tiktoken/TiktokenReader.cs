using System.Globalization;
using System.Text;
using OrtPeft.Tokenizers.Decoders;
using OrtPeft.Tokenizers.Models;
using OrtPeft.Tokenizers.Patterns;
using OrtPeft.Tokenizers.PreTokenizers;
using OrtPeft.Tokenizers.Serialization;

namespace OrtPeft.Tokenizers.Tiktoken;

/// <summary>
/// Makes a tokenizer of a tiktoken file: lines of a token's bytes in base64 and its rank, which is its id. The file does
/// not say how text is cut nor which special tokens there are: <c>about.json</c> beside it may (<c>pattern</c>,
/// <c>special_tokens</c>), else <c>tokenizer_config.json</c> lists tokens, else it is taken for Llama 3's or Qwen's.
/// </summary>
internal static class TiktokenReader
{
    /// <summary>Whether a file begins with a line of base64 and a number.</summary>
    public static bool Fits(ReadOnlySpan<byte> bytes)
    {
        var start = bytes[..Math.Min(bytes.Length, 4096)];
        var end = start.IndexOf((byte)'\n');
        return end > 0 && Ascii.IsValid(start[..end]) && TryReadLine(Encoding.ASCII.GetString(start[..end]), out _, out _);
    }

    public static PipelineTokenizer Read(string file, ReadOnlySpan<byte> bytes, TokenizerConfig config)
    {
        var place = new SourcePlace(file, "the ranks");
        var vocabulary = Vocabulary.Of(ReadLines(file, Encoding.UTF8.GetString(bytes)), place);
        var model = new CharacterBpe(
            vocabulary, PieceMerges.Of(vocabulary.Ids, static id => id), new BpeSymbols { TakesWholeWords = true });
        var about = TiktokenAbout.Find(file, vocabulary.Size);
        var added = new AddedTokenList();
        foreach (var (token, at) in config.AddedTokens)
            added.Add(token with { IsNormalized = false }, model, at);
        if (added.IsEmpty)
            about.Special.ToList().ForEach(token => added.Add(token, model, place));
        int? Find(string token) => added.Find(token) ?? model.Find(token);
        return new PipelineTokenizer(new Tokenization
        {
            AddedTokens = added.InIdOrder(),
            Splitter = Words(about.Pattern),
            Model = model,
            Decoder = TokenDecoders.ByteLevel,
            Frame = about.Begin is { } begin && Find(begin) is { } id ? new TextFrame([id], []) : TextFrame.None,
            EndOfTextId = config.FindEndOfText(Find) ?? (about.End is { } end ? Find(end) : null),
        });
    }

    /// <summary>The matches, spelled in the byte alphabet; what lies between them is dropped, as by tiktoken.</summary>
    private static PieceSplitter Words(RegexPattern pattern)
    {
        var words = PatternSplit.Of(pattern.FindAll, SplitBehavior.Removed, isInverted: true);
        return piece => words(piece).Where(static word => word.Text.Length > 0).Select(ByteLevelSplit.SpellBytes);
    }

    private static IEnumerable<(string Token, int Id)> ReadLines(string file, string text)
    {
        foreach (var (i, line) in text.Split('\n').Index())
        {
            if (line.AsSpan().Trim().IsEmpty)
                continue;
            if (!TryReadLine(line, out var bytes, out var rank))
                throw new SourcePlace(file, $"line {i + 1}").Error("no token in base64 with its rank; restore the file");
            yield return (ByteAlphabet.Spell(bytes), rank);
        }
    }

    private static bool TryReadLine(string line, out byte[] bytes, out int rank)
    {
        rank = 0;
        var parts = line.Trim().Split(' ');
        bytes = new byte[parts[0].Length];
        var isRead = parts.Length == 2 && Convert.TryFromBase64String(parts[0], bytes, out var length)
            && length > 0 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out rank)
            && Shorten(ref bytes, length);
        return isRead;
    }

    private static bool Shorten(ref byte[] bytes, int length)
    {
        Array.Resize(ref bytes, length);
        return true;
    }
}
