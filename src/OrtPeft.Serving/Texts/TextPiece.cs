using OrtPeft.Serving.Engine;

namespace OrtPeft.Serving.Texts;

/// <summary>A piece of an answer, whole characters.</summary>
/// <param name="Text">The text; empty where a character or a stop text may be unfinished.</param>
/// <param name="Token">The token that came; null at the end, when what was held back comes out.</param>
internal readonly record struct TextPiece(string Text, EngineToken? Token);
