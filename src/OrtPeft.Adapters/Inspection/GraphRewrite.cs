namespace OrtPeft.Adapters.Inspection;

/// <summary>A rewrite on the way to canonical form.</summary>
/// <param name="Pass">The pass, such as <c>fused-to-standard</c>.</param>
/// <param name="Op">
/// The operator that was taken apart or resolved, or that a fusion made, with its domain; for <c>upgrade-opset</c> both
/// versions.
/// </param>
/// <param name="Count">How many nodes; for <c>upgrade-opset</c> all.</param>
public sealed record GraphRewrite(string Pass, string Op, int Count);
