using OrtPeft.Onnx;

namespace OrtPeft.Autodiff;

/// <summary>Where differentiation starts: a value and the gradient of the loss at it.</summary>
/// <param name="Value">A value of the graph.</param>
/// <param name="Gradient">The gradient, of the value's type and shape.</param>
public readonly record struct Seed(Value Value, Value Gradient);
