using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>Finds the embeddings of a graph and recovers their names in the source model.</summary>
internal static class EmbeddingCatalogue
{
    /// <summary>Lists the embeddings in execution order; scales of a quantised one are none.</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    /// <returns>The embeddings; a matrix that is read twice is listed once, at its first use.</returns>
    public static IReadOnlyList<EmbeddingModule> Embeddings(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var (names, present) = (new ModuleNames(graph), PresentAdapters.Of(graph));
        var scales = Quantized(graph).SelectMany(static l => TokenRow.NodesOf(l.Rows, l.Ids)).ToHashSet();
        return
        [
            .. graph.Nodes.Where(n => !scales.Contains(n) && !present.IsFactor(n))
                .Select(n => MatrixOf(n) is { } weight ? new EmbeddingModule(names.OfEmbedding(n, weight), n, weight) : null)
                .OfType<EmbeddingModule>()
                .DistinctBy(static m => m.Name, StringComparer.Ordinal)
                .Select(m => m with { Adapter = present.At(m.Node, m.Name) }),
        ];
    }

    /// <summary>The nodes that pick rows of a matrix, as it is stored or turned.</summary>
    /// <param name="weight">The matrix as stored.</param>
    public static IEnumerable<Node> LookUpsOf(Value weight) => weight.Uses
        .SelectMany(static u => TokenRow.Turned(u.Node.Outputs[0]) is null ? [u] : u.Node.Output.Uses)
        .Where(static u => u.Node.Is("Gather") && u.Index == 0).Select(static u => u.Node);

    /// <summary>The token embedding, where it is stored in few bits, which nothing trains; null where it is not.</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    /// <returns>Its name in the source model.</returns>
    public static string? QuantizedName(Graph graph)
    {
        if (Quantized(graph).FirstOrDefault() is not { } lookUp)
            return null;
        var name = new ModuleNames(graph).OfEmbedding(lookUp.Node, lookUp.Table);
        for (var path = name; path.Length > 0; path = path[..Math.Max(path.LastIndexOf('.'), 0)])
        {
            if (DecoderFamilies.IsTokenEmbedding(path))
                return path; // what follows is the operator's
        }

        return name;
    }

    private static IEnumerable<TokenLookUp> Quantized(Graph graph) =>
        graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Ids) is { } ids
            ? TokenLookUp.All(graph, ids).Where(static l => l.IsQuantized)
            : [];

    /// <summary>The matrix of floating numbers that a node picks rows of, as stored; null for any other node.</summary>
    private static Value? MatrixOf(Node node)
    {
        if (!node.Is("Gather") || node.Attributes.Int("axis", 0) != 0)
            return null;
        var table = node.Inputs[0]!;
        var stored = TokenRow.Turned(table) ?? table;
        return stored is { Initializer.Dims.Length: 2, Constant: not null } && stored.Type.IsFloating() ? stored : null;
    }
}
