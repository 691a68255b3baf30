using OrtPeft.Tokenizers.Models;

namespace OrtPeft.Tokenizers.SentencePiece;

/// <summary>A model before which pieces of the user's are taken out of the text, whatever the model makes of the rest.</summary>
internal sealed class UserDefinedPieces(ITokenModel model, AddedTokenTrie pieces) : ITokenModel
{
    public int Size => model.Size;

    public void Encode(string piece, List<TokenLength> output)
    {
        var done = 0;
        while (pieces.TryFind(piece, done, out var start, out var found) && found is { } token)
        {
            if (done < start)
                model.Encode(piece[done..start], output);
            output.Add(new TokenLength(token.Id, token.Content.Length));
            done = start + token.Content.Length;
        }

        if (done < piece.Length)
            model.Encode(piece[done..], output);
    }

    public int? Find(string token) => model.Find(token);

    public string? Spelling(int id) => model.Spelling(id);
}
