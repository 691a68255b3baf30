using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>Finds the embeddings of a graph and recovers their names in the source model.</summary>
internal static class EmbeddingCatalogue
{
    /// <summary>Lists the embeddings in execution order.</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    /// <returns>The embeddings; a matrix that is read twice is listed once, at its first use.</returns>
    public static IReadOnlyList<EmbeddingModule> Embeddings(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var (names, present) = (new ModuleNames(graph), PresentAdapters.Of(graph));
        return
        [
            .. graph.Nodes.Where(n => IsEmbedding(n) && !present.IsFactor(n))
                .Select(n => new EmbeddingModule(names.OfEmbedding(n, n.Inputs[0]!), n, n.Inputs[0]!))
                .DistinctBy(static m => m.Name, StringComparer.Ordinal)
                .Select(m => m with { Adapter = present.At(m.Node, m.Name) }),
        ];
    }

    private static bool IsEmbedding(Node node) =>
        node.Is("Gather") && node.Attributes.Int("axis", 0) == 0
        && node.Inputs[0] is { Initializer.Dims.Length: 2, Constant: not null } weight && weight.Type.IsFloating();
}
