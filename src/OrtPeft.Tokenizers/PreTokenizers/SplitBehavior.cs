namespace OrtPeft.Tokenizers.PreTokenizers;

/// <summary>The treatment of the matches at which a piece is cut.</summary>
internal enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}
