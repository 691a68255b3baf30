using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// The constants that are weights: vectors and matrices of numbers. Scalars are formulas' constants, four axes a causal
/// mask.
/// </summary>
internal static class WeightCatalogue
{
    public static IEnumerable<Value> Weights(Graph graph) => graph.Initializers.Where(static v =>
        v.Type.IsFloating() && v.Initializer is { Dims.Length: 1 or 2, Count: > 1 });
}
