using OrtPeft.Onnx;

namespace OrtPeft.Autodiff;

/// <summary>
/// The derivative of one operator: given what flows into its outputs, adds the nodes that compute what flows into its
/// inputs. It returns exactly one entry per input; null where no gradient flows. Broadcast axes are summed by the
/// caller.
/// </summary>
/// <param name="context">The node, its upstream gradients, and where to add nodes.</param>
/// <returns>One gradient or null per input.</returns>
public delegate IReadOnlyList<Value?> GradientRule(RuleContext context);
