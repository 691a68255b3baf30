using System.Collections.Immutable;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Quantization;

/// <summary>A layer's constant matrix, whether the graph holds its numbers or integers that stand for them.</summary>
internal static class ConstantWeight
{
    /// <summary>The matrix' axes.</summary>
    /// <param name="weight">What a layer reads.</param>
    /// <returns>The lengths; null when it is not constant.</returns>
    public static ImmutableArray<long>? DimsOf(Value weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        return weight.Initializer?.Dims ?? QuantizedWeight.Find(weight)?.Dims;
    }

    /// <summary>The matrix' numbers.</summary>
    /// <param name="weight">A constant matrix.</param>
    /// <returns>The initializer, or a new tensor where the numbers have to be computed.</returns>
    public static Tensor ContentOf(Value weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        return weight.Initializer ?? QuantizedWeight.Find(weight)!.ToFloat32();
    }

    /// <summary>Gives every reader another matrix; a quantised weight becomes float32.</summary>
    /// <param name="graph">The weight's graph.</param>
    /// <param name="weight">A constant matrix.</param>
    /// <param name="content">The matrix, of the same axes.</param>
    public static void Set(Graph graph, Value weight, Tensor content)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(weight);
        if (QuantizedWeight.Find(weight) is { } quantized)
            quantized.ReplaceBy(content);
        else
            graph.SetInitializer(weight, content);
    }
}
