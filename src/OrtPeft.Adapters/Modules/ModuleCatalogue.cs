using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>Finds the linear layers of a graph and recovers their names in the source model.</summary>
public static class ModuleCatalogue
{
    /// <summary>Lists the linear layers in execution order.</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    /// <returns>The layers; a layer applied twice is listed once, at its first use.</returns>
    public static IReadOnlyList<LinearModule> LinearModules(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var head = OutputLayer(graph);
        var modules = new List<LinearModule>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in graph.Nodes)
        {
            if (WeightOf(node) is not var (weight, isOutByIn))
                continue;
            var (bias, biasAdd) = BiasOf(node);
            var name = node == head && IsTied(weight) ? ModuleNames.TiedHead : ModuleNames.Of(node, weight, bias);
            if (names.Add(name))
            {
                modules.Add(new LinearModule
                {
                    Name = name,
                    Node = node,
                    Weight = weight,
                    IsOutByIn = isOutByIn,
                    Bias = bias,
                    BiasAdd = biasAdd,
                    IsOutputLayer = node == head,
                });
            }
        }

        return modules;
    }

    /// <summary>Whether an embedding reads the matrix too: its name is the embedding's.</summary>
    private static bool IsTied(Value weight) => weight.Uses.Any(static u => u.Node.Is("Gather"));

    /// <summary>The product behind the graph's first output, looking through reshapes, casts and a bias.</summary>
    private static Node? OutputLayer(Graph graph)
    {
        var node = graph.Outputs.Count == 0 ? null : graph.Outputs[0].Producer;
        while (node is not null && WeightOf(node) is null)
        {
            var passes = node.OpType is "Reshape" or "Identity" or "Cast" or "Add" or "Squeeze" or "Unsqueeze";
            node = passes
                ? node.Inputs.Select(static i => i?.Producer).FirstOrDefault(static p => p is not null)
                : null;
        }

        return node;
    }

    private static (Value Weight, bool IsOutByIn)? WeightOf(Node node)
    {
        if (!node.Is("MatMul") && !node.Is("Gemm"))
            return null;
        if (node.Input(0) is not { Constant: null }
            || node.Input(1) is not { } weight || node.Attributes.Int("transA", 0) != 0)
            return null;
        var isTransposed = node.Attributes.Int("transB", 0) != 0;
        if (weight.Producer is { } producer && producer.Is("Transpose") && IsMatrixTranspose(producer))
            (weight, isTransposed) = (producer.Inputs[0]!, !isTransposed);
        var isMatrix = weight.Initializer is { Dims.Length: 2 }
            && weight.Constant is not null && weight.Type.IsFloating();
        return isMatrix ? (weight, isTransposed) : null;
    }

    private static bool IsMatrixTranspose(Node transpose) => transpose.Attributes.Ints("perm") is null or [1, 0];

    private static (Value? Bias, Node? Add) BiasOf(Node node)
    {
        if (node.Is("Gemm"))
            return (node.Input(2) is { Initializer.Dims.Length: 1 } c ? c : null, null);
        var add = node.Output.Uses.Count == 1 ? node.Output.Uses[0].Node : null;
        if (add is null || !add.Is("Add"))
            return (null, null);
        var other = add.Inputs[0] == node.Output ? add.Inputs[1] : add.Inputs[0];
        return other is { Initializer.Dims.Length: 1 } && other.Constant is not null ? (other, add) : (null, null);
    }
}
