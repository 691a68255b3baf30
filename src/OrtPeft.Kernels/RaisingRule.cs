namespace OrtPeft.Kernels;

/// <summary>Puts nodes of an operator in the place of standard ones that compute the same.</summary>
/// <param name="context">The graph, and what of it is differentiated.</param>
public delegate void RaisingRule(RaisingContext context);
