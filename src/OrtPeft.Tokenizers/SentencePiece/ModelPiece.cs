namespace OrtPeft.Tokenizers.SentencePiece;

/// <summary>One piece of a SentencePiece model; its id is its place.</summary>
internal readonly record struct ModelPiece(string Text, float Score, PieceKind Kind);
