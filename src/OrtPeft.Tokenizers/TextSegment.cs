namespace OrtPeft.Tokenizers;

/// <summary>A stretch of text: an added token, or with <c>TokenId</c> null ordinary text between them.</summary>
internal readonly record struct TextSegment(int Start, int End, int? TokenId);
