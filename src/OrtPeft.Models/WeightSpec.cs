using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Models;

/// <summary>One weight of an architecture.</summary>
/// <param name="Name">The name in HF's state dict, such as <c>transformer.h.0.attn.c_attn.weight</c>.</param>
/// <param name="Shape">The axes as HF stores them; of GPT-2's Conv1D layers <c>[in, out]</c>.</param>
/// <param name="InitialMean">The mean of a new model's values: 1 for the scales of norms, else 0.</param>
/// <param name="InitialDeviation">The standard deviation of a new model's values; 0 makes all of them the mean.</param>
public sealed record WeightSpec(string Name, Shape Shape, float InitialMean = 0, float InitialDeviation = 0)
{
    /// <summary>The tensors that checkpoints hold in its place; null where they hold the weight itself.</summary>
    internal WeightSources? Sources { get; init; }

    /// <summary>The number of elements.</summary>
    public long Count => Shape.Aggregate(1L, static (product, dim) => checked(product * dim.Value!.Value));

    /// <summary>The weight as checkpoints hold it.</summary>
    /// <param name="tensor">The weight, float32.</param>
    internal IEnumerable<(string Name, Tensor Tensor)> InCheckpoint(Tensor tensor)
    {
        if (Sources is not { } sources)
            return [(Name, tensor)];
        var count = Count / sources.Names.Count;
        return sources.Names.Select((name, i) => (
            name, new Tensor(tensor.Type, [.. sources.Dims], new PartTensorData(tensor.Data, i * count, count), name)));
    }
}
