using OrtPeft.Inference.Generation;

namespace OrtPeft.Text;

/// <summary>An assistant's answer.</summary>
/// <param name="Text">The answer.</param>
/// <param name="TokenCount">How many tokens were generated for it.</param>
/// <param name="FinishReason">Why it ended; null where a stop text ended it, or it was broken off.</param>
public sealed record ChatAnswer(string Text, int TokenCount, FinishReason? FinishReason);
