using System.Collections.Immutable;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>A layer's constant matrix, whether the graph holds its numbers or integers that stand for them.</summary>
internal static class ConstantWeight
{
    /// <summary>The matrix' axes; null when it is not constant.</summary>
    public static ImmutableArray<long>? DimsOf(Value weight) =>
        weight.Initializer?.Dims ?? QuantizedWeight.Find(weight)?.Dims;

    /// <summary>The numbers; a quantised weight's are computed.</summary>
    public static Tensor ContentOf(Value weight) => weight.Initializer ?? QuantizedWeight.Find(weight)!.ToFloat32();

    /// <summary>Gives every reader another matrix; a quantised weight becomes float32.</summary>
    public static void Set(Graph graph, Value weight, Tensor content)
    {
        if (QuantizedWeight.Find(weight) is { } quantized)
            quantized.ReplaceBy(content);
        else
            graph.SetInitializer(weight, content);
    }
}
