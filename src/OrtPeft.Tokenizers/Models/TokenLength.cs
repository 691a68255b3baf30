namespace OrtPeft.Tokenizers.Models;

/// <summary>A token, and how many UTF-16 units of its piece it takes.</summary>
/// <remarks>The bytes of one character share its units: the first byte has them all.</remarks>
internal readonly record struct TokenLength(int Id, int Length);
