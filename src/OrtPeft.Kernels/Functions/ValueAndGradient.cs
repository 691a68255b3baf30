using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels.Functions;

/// <summary>A function's value in standard operators.</summary>
/// <param name="Y">y = f(x).</param>
/// <param name="Gradient">Makes dY·f′(x) of dY.</param>
internal sealed record ValueAndGradient(Term Y, Func<Term, Term> Gradient);
