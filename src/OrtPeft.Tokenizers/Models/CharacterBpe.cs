using System.Runtime.InteropServices;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Models;

/// <summary>Byte-pair encoding that begins with characters, as Hugging Face's library and SentencePiece have it.</summary>
internal sealed class CharacterBpe(Vocabulary vocabulary, MergeTable merges, BpeSymbols symbols) : ITokenModel
{
    private readonly ByteTokens? _bytes = symbols.FallsBackToBytes ? new ByteTokens(vocabulary) : null;

    /// <summary>Ids and lengths by turns.</summary>
    private readonly WordCache _cache = new();

    public int Size => vocabulary.Size;

    public void Encode(string piece, List<TokenLength> output)
    {
        if (symbols.TakesWholeWords && vocabulary.Find(piece) is { } whole)
        {
            output.Add(new TokenLength(whole, piece.Length));
            return;
        }

        if (_cache.TryGet(piece, out var known))
        {
            output.AddRange(MemoryMarshal.Cast<int, TokenLength>(known));
            return;
        }

        var word = new List<TokenLength>(piece.Length);
        ReadSymbols(piece, word);
        var merged = Merge(CollectionsMarshal.AsSpan(word));
        output.AddRange(merged);
        _cache.Add(piece, MemoryMarshal.Cast<TokenLength, int>(merged));
    }

    public int? Find(string token) => vocabulary.FindAny(token);

    public string? Spelling(int id) => vocabulary.Spelling(id);

    private Span<TokenLength> Merge(Span<TokenLength> word)
    {
        var ids = new int[word.Length];
        var lengths = new int[word.Length];
        for (var i = 0; i < word.Length; i++)
            (ids[i], lengths[i]) = word[i];
        var count = PairMerger.MergeAll(merges, ids, lengths);
        for (var i = 0; i < count; i++)
            word[i] = new TokenLength(ids[i], lengths[i]);
        return word[..count];
    }

    private void ReadSymbols(string piece, List<TokenLength> word)
    {
        var unknown = 0;
        for (int start = 0, width; start < piece.Length; start += width)
        {
            CodePoints.At(piece, start, out width);
            var end = start + width;
            if (FindSymbol(piece, start, end) is { } id)
            {
                AddUnknown(ref unknown, word);
                word.Add(new TokenLength(id, width));
                continue;
            }
            // As in the library, an unknown character before bytes is written after them.
            if (_bytes is not null && _bytes.TryEncode(Spelled(piece, start, end), word))
                continue;
            if (!symbols.FusesUnknown)
                AddUnknown(ref unknown, word);
            unknown += width;
        }

        AddUnknown(ref unknown, word);
    }

    private void AddUnknown(ref int length, List<TokenLength> word)
    {
        if (length > 0 && symbols.Unknown is { } id)
            word.Add(new TokenLength(id, length));
        length = 0;
    }

    private int? FindSymbol(string piece, int start, int end)
    {
        var hasAffix = symbols.Prefix.Length > 0 || symbols.Suffix.Length > 0;
        var symbol = hasAffix ? Spelled(piece, start, end) : piece.AsSpan(start, end - start);
        return vocabulary.Lookup.TryGetValue(symbol, out var id) ? id : null;
    }

    private string Spelled(string piece, int start, int end)
    {
        var prefix = start > 0 ? symbols.Prefix : "";
        var suffix = end == piece.Length ? symbols.Suffix : "";
        return string.Concat(prefix, piece.AsSpan(start, end - start), suffix);
    }
}
