using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>Finds the matrices of experts that stand in one parameter, as in transformers 5.</summary>
internal static class ExpertCatalogue
{
    /// <summary>Lists them in execution order.</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    public static IReadOnlyList<ExpertWeight> Weights(Graph graph) =>
        [.. graph.Nodes.Select(Of).OfType<ExpertWeight>().DistinctBy(static w => w.Path)];

    private static ExpertWeight? Of(Node node)
    {
        if (!node.Is("MatMul") || node.Input(0) is not { Constant: null } || node.Input(1) is not { } weight)
            return null;
        var isTransposed = weight.Producer is { } producer && producer.Is("Transpose")
            && producer.Attributes.Ints("perm") is [0, 2, 1];
        if (isTransposed)
            weight = weight.Producer!.Inputs[0]!;
        if (weight is not { Constant.Dims: [> 1, _, _] } || !weight.Type.IsFloating())
            return null;
        var dot = weight.Name.LastIndexOf('.');
        return dot <= 0 ? null : new ExpertWeight
        {
            Module = weight.Name[..dot],
            Parameter = weight.Name[(dot + 1)..],
            Node = node,
            Weight = weight,
            IsOutByIn = isTransposed,
        };
    }
}
