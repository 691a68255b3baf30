namespace OrtPeft.Tokenizers.Models;

/// <summary>Cuts a piece of text into tokens of a vocabulary. Implementations are safe for several threads.</summary>
internal interface ITokenModel
{
    /// <summary>One more than the highest id.</summary>
    int Size { get; }

    /// <summary>Appends the tokens of a piece, which is not empty.</summary>
    /// <exception cref="TokenizerFormatException">A part is unknown and the file names no token for that.</exception>
    void Encode(string piece, List<TokenLength> output);

    int? Find(string token);

    /// <summary>How the vocabulary spells an id, or null where it has none of it.</summary>
    string? Spelling(int id);
}
