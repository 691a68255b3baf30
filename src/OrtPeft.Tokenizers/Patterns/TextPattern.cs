using OrtPeft.Tokenizers.Alignment;

namespace OrtPeft.Tokenizers.Patterns;

/// <summary>Finds all matches in a text, in order and without overlap.</summary>
internal delegate IReadOnlyList<TextMatch> TextPattern(string text);
