namespace OrtPeft.Tokenizers.Alignment;

/// <summary>A stretch of a text, in UTF-16 units; <c>End</c> is exclusive. May be empty.</summary>
internal readonly record struct TextMatch(int Start, int End);
