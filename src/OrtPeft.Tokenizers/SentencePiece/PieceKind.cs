namespace OrtPeft.Tokenizers.SentencePiece;

/// <summary>The kind of a piece, by the numbers of SentencePiece's <c>ModelProto</c>.</summary>
internal enum PieceKind
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}
