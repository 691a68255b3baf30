namespace OrtPeft.Tokenizers.Patterns;

/// <summary>Positions that an expression asks for.</summary>
internal enum AnchorKind
{
    TextStart,
    TextEnd,
    TextEndOrLastNewLine,
    LineStart,
    LineEnd,
    WordBoundary,
    NoWordBoundary,
}
