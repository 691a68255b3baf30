namespace OrtPeft.Tokenizers.Patterns;

/// <summary>A regular expression is malformed, or uses a construct that is not supported; the message names it.</summary>
internal sealed class PatternException(string message) : Exception(message);
