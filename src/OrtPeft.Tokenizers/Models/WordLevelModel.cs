namespace OrtPeft.Tokenizers.Models;

/// <summary>A token for each piece as it stands.</summary>
internal sealed class WordLevelModel(Vocabulary vocabulary, string unknown, SourcePlace place) : ITokenModel
{
    public int Size => vocabulary.Size;

    public void Encode(string piece, List<TokenLength> output)
    {
        var id = vocabulary.Find(piece) ?? vocabulary.Find(unknown) ?? throw place.Error(
            $"{TokenizerFormatException.Quote(piece)} is not in the vocabulary, nor is the unk_token "
            + $"{TokenizerFormatException.Quote(unknown)}; name a token of the vocabulary");
        output.Add(new TokenLength(id, piece.Length));
    }

    public int? Find(string token) => vocabulary.FindAny(token);

    public string? Spelling(int id) => vocabulary.Spelling(id);
}
