using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Models;

/// <summary>One weight of an architecture.</summary>
/// <param name="Name">The name in HF's state dict, such as <c>transformer.h.0.attn.c_attn.weight</c>.</param>
/// <param name="Shape">The axes as HF stores them; of GPT-2's Conv1D layers <c>[in, out]</c>.</param>
/// <param name="InitialMean">The mean of a new model's values: 1 for the scales of norms, else 0.</param>
/// <param name="InitialDeviation">The standard deviation of a new model's values; 0 makes all of them the mean.</param>
public sealed record WeightSpec(string Name, Shape Shape, float InitialMean = 0, float InitialDeviation = 0)
{
    /// <summary>The number of elements.</summary>
    public long Count => Shape.Aggregate(1L, static (product, dim) => checked(product * dim.Value!.Value));
}
