namespace OrtPeft.Tokenizers;

/// <summary>A token and the part of the text that it was made of, in UTF-16 units.</summary>
/// <param name="Id">The token.</param>
/// <param name="Start">Where the part begins.</param>
/// <param name="End">Where it ends, exclusive. The bytes of one character all have that character's span.</param>
public readonly record struct TokenSpan(int Id, int Start, int End);
