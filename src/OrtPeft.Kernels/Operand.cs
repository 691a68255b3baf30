using OrtPeft.Tensors;

namespace OrtPeft.Kernels;

/// <summary>An input or output of a fused operator.</summary>
/// <param name="Name">As in the signature.</param>
/// <param name="Axes">Its axes.</param>
/// <param name="Type">Float32 stands for the node's floating-point type: kernels take float32 alone; none
/// stated stands for any.</param>
/// <param name="IsOptional">Whether it may be missing.</param>
/// <param name="IsRoundable">Whether rounding it to bfloat16 moves results by about that rounding and no more.</param>
public sealed record Operand(string Name, AxisPattern Axes, ElementType Type, bool IsOptional, bool IsRoundable);
