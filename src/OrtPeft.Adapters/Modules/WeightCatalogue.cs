using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// The constants that are weights: vectors and matrices of numbers, and what holds a matrix for each expert. Scalars are
/// formulas' constants, four axes a causal mask.
/// </summary>
internal static class WeightCatalogue
{
    public static IEnumerable<Value> Weights(Graph graph)
    {
        var experts = ExpertCatalogue.Weights(graph).Select(static w => w.Weight).ToHashSet();
        return graph.Initializers.Where(v => v.Type.IsFloating()
            && (v.Initializer is { Dims.Length: 1 or 2, Count: > 1 } || experts.Contains(v)));
    }

    /// <summary>The elements of all weights; a quantised weight counts with its own, not with its scales.</summary>
    public static long ElementCount(Graph graph) => Weights(graph)
        .Where(static v => !v.Uses.Any(static u => u.Node.Is("DequantizeLinear")))
        .Select(static v => v.Initializer!.Count)
        .Concat(graph.Nodes.Where(static n => n.Outputs.Count == 1)
            .Select(static n => QuantizedWeight.Find(n.Output)).OfType<QuantizedWeight>()
            .Select(static w => w.Dims[0] * w.Dims[1]))
        .Sum();
}
