using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Models;

/// <summary>The longest token first, then the longest of those with the prefix that go on; a word that cannot be made up
/// is unknown as a whole.</summary>
/// <seealso href="https://arxiv.org/abs/1810.04805">BERT, 3.1</seealso>
internal sealed class WordPieceModel(Vocabulary vocabulary, SourcePlace place) : ITokenModel
{
    public required string Unknown { get; init; }

    /// <summary>The prefix of tokens that are not the first of a word.</summary>
    public required string Prefix { get; init; }

    /// <summary>Code points; longer words are unknown.</summary>
    public required int LongestWord { get; init; }

    public int Size => vocabulary.Size;

    public void Encode(string piece, List<TokenLength> output)
    {
        var before = output.Count;
        var isTooLong = piece.Length > LongestWord && piece.EnumerateRunes().Count() > LongestWord;
        if (!isTooLong && TryEncode(piece, output))
            return;
        output.RemoveRange(before, output.Count - before);
        var id = vocabulary.Find(Unknown) ?? throw place.Error(
            $"{TokenizerFormatException.Quote(piece)} needs the unk_token, and {TokenizerFormatException.Quote(Unknown)} "
            + "is not in the vocabulary; name a token of it");
        output.Add(new TokenLength(id, piece.Length));
    }

    public int? Find(string token) => vocabulary.FindAny(token);

    public string? Spelling(int id) => vocabulary.Spelling(id);

    private bool TryEncode(string piece, List<TokenLength> output)
    {
        var buffer = new char[Prefix.Length + Math.Min(piece.Length, vocabulary.LongestToken)];
        Prefix.CopyTo(buffer);
        for (var start = 0; start < piece.Length;)
        {
            var end = FindEnd(piece, start, buffer, out var id);
            if (end == start)
                return false;
            output.Add(new TokenLength(id, end - start));
            start = end;
        }

        return true;
    }

    private int FindEnd(string piece, int start, char[] buffer, out int id)
    {
        var prefix = start > 0 ? Prefix.Length : 0;
        var longest = Math.Min(piece.Length - start, vocabulary.LongestToken - prefix);
        for (var end = start + longest; end > start; end = CodePoints.Before(piece, end))
        {
            if (end < piece.Length && char.IsLowSurrogate(piece[end]))
                continue;
            var token = piece.AsSpan(start, end - start);
            if (prefix > 0)
            {
                token.CopyTo(buffer.AsSpan(prefix));
                token = buffer.AsSpan(0, prefix + token.Length);
            }

            if (vocabulary.Lookup.TryGetValue(token, out id))
                return end;
        }

        id = 0;
        return start;
    }
}
