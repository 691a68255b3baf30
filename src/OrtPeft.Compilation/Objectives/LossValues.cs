using OrtPeft.Autodiff;
using OrtPeft.Onnx;

namespace OrtPeft.Compilation.Objectives;

/// <summary>A loss in a graph.</summary>
/// <param name="Sum">The sum over supervised elements, <c>[] float32</c>.</param>
/// <param name="Count">The number of supervised elements, <c>[] int64</c>.</param>
/// <param name="Seeds">The scaled gradients where differentiation starts; empty when none was wanted.</param>
public sealed record LossValues(Value Sum, Value Count, IReadOnlyList<Seed> Seeds);
