namespace OrtPeft.Tokenizers.Alignment;

/// <summary>A piece of a text between added tokens, or with an id an added token itself.</summary>
internal readonly record struct Piece(AlignedText Text, int? TokenId);
