namespace OrtPeft.Cli.Bench;

/// <summary>How fast requests were answered.</summary>
/// <param name="Variant">What answered.</param>
/// <param name="TokensPerSecond">Tokens of all answers together, prompts' time included.</param>
/// <param name="Ratio">That over the plain model's in the same round, the median over rounds.</param>
/// <param name="FirstTokenSeconds">The median time to an answer's first token.</param>
internal sealed record ServingTimes(string Variant, double TokensPerSecond, double Ratio, double FirstTokenSeconds);
