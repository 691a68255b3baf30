using OrtPeft.Onnx;

namespace OrtPeft.Kernels;

/// <summary>An operator in standard operators: adds nodes that compute a node's outputs from its inputs.</summary>
/// <param name="context">The node, and where to add.</param>
/// <returns>One value per output; null for one that nobody reads.</returns>
public delegate IReadOnlyList<Value?> LoweringRule(LoweringContext context);
