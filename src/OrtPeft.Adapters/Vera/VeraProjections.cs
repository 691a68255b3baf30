using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Vera;

/// <summary>
/// The shared projections: as wide as the widest adapted layer reads, and as high as the highest makes. A layer takes
/// the first columns of A and the first rows of B.
/// </summary>
/// <param name="A">[r, largest in].</param>
/// <param name="B">[largest out, r].</param>
internal sealed record VeraProjections(AdapterParameter A, AdapterParameter B)
{
    /// <summary>A's name in HF PEFT's files.</summary>
    public static string NameOfA { get; } = HfName.OfShared("vera_A");

    /// <summary>B's name in HF PEFT's files.</summary>
    public static string NameOfB { get; } = HfName.OfShared("vera_B");

    /// <summary>
    /// Random projections, uniform in ±√(6 / columns) as HF PEFT's (Kaiming with gain √2).
    /// </summary>
    public static VeraProjections AddTo(Graph graph, IReadOnlyList<LinearModule> adapted, VeraConfig config)
    {
        var (width, height) = (adapted.Max(static m => m.InFeatures), adapted.Max(static m => m.OutFeatures));
        return new VeraProjections(Random(NameOfA, config.R, width), Random(NameOfB, height, config.R));

        AdapterParameter Random(string name, long rows, long columns)
        {
            var bound = Math.Sqrt(6.0 / columns);
            var content = InitialWeights.Uniform(config.ProjectionPrngKey, name, bound, rows, columns);
            return new AdapterParameter(name, graph.AddInitializer(graph.FreshName(name), content));
        }
    }

    /// <summary>A layer's part of A, [r, in].</summary>
    public Value PartOfA(GraphBuilder g, LinearModule module) => FirstOf(g, A.Value, module.InFeatures, axis: 1);

    /// <summary>A layer's part of B, [out, r].</summary>
    public Value PartOfB(GraphBuilder g, LinearModule module) => FirstOf(g, B.Value, module.OutFeatures, axis: 0);

    private static Value FirstOf(GraphBuilder g, Value projection, long count, int axis) =>
        projection.Initializer!.Dims[axis] == count
            ? projection
            : g.Op("Slice", projection, g.Int64(0), g.Int64(count), g.Int64(axis));
}
