using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>Finds the linear layers of a graph and recovers their names in the source model.</summary>
internal static class ModuleCatalogue
{
    /// <summary>Lists the linear layers in execution order; LoRA's products that a graph has are none, and stay as they
    /// are.</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    /// <returns>The layers; a layer applied twice is listed once, at its first use.</returns>
    public static IReadOnlyList<LinearModule> LinearModules(Graph graph)
    {
        return [.. Applications(graph).DistinctBy(static m => m.Name)];
    }

    /// <summary>The language-model head: the linear layer that makes the graph's first output, whatever scale, softcap
    /// or
    /// cast stands between (see <see cref="HeadPath"/>).</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    /// <param name="trainable">Values that train, and so are inputs; their products are linear layers too, and so are
    /// those of a matrix some of whose rows are replaced.</param>
    /// <returns>The head, or null where something else makes the output.</returns>
    public static LinearModule? Head(Graph graph, IReadOnlySet<Value> trainable) =>
        Applications(graph, w => trainable.Contains(w) || ReplacedRows.Find(w) is not null)
            .FirstOrDefault(static m => m.IsOutputLayer);

    /// <summary>Every application of a linear layer in execution order; a layer applied twice is listed
    /// twice. LoRA's products that a graph has already are none.</summary>
    internal static IEnumerable<LinearModule> Applications(Graph graph)
    {
        var present = PresentAdapters.Of(graph);
        return Applications(graph, static _ => false).Where(m => !HfName.IsLora(m.Name) && !present.IsFactor(m.Node))
            .Select(m => m with { Adapter = present.At(m.Node, m.Name) });
    }

    private static IEnumerable<LinearModule> Applications(Graph graph, Func<Value, bool> isMatrixToo)
    {
        var head = OutputLayer(graph, isMatrixToo);
        var names = new ModuleNames(graph);
        var weights = new Dictionary<string, Value>(StringComparer.Ordinal);
        foreach (var node in graph.Nodes)
        {
            if (WeightOf(node, isMatrixToo) is not var (weight, isOutByIn))
                continue;
            var (bias, biasAdd) = BiasOf(node, ConstantWeight.DimsOf(weight)?[isOutByIn ? 0 : 1]);
            var (name, isSourcePath) = node == head
                ? names.OfHead(node, weight, bias, IsTied(weight))
                : names.Of(node, weight, bias);
            var unique = Unique(name, weight, weights);
            yield return new LinearModule
            {
                Name = unique,
                HasSourceName = isSourcePath && unique == name,
                Node = node,
                Weight = weight,
                IsOutByIn = isOutByIn,
                Bias = bias,
                BiasAdd = biasAdd,
                IsOutputLayer = node == head,
                IsRouter = node != head && RouterSearch.IsRouter(node),
            };
        }
    }

    /// <summary>
    /// A layer that is applied twice has one name; two layers for which a graph has the same name get a number.
    /// </summary>
    private static string Unique(string name, Value weight, Dictionary<string, Value> weights)
    {
        var unique = name;
        for (var i = 1; !weights.TryAdd(unique, weight) && weights[unique] != weight; i++)
            unique = $"{name}_{i}";
        return unique;
    }

    /// <summary>Whether an embedding reads the matrix too: its name is the embedding's.</summary>
    private static bool IsTied(Value weight) => weight.Uses.Any(static u => u.Node.Is("Gather"));

    /// <summary>The head's product, which makes the graph's first output.</summary>
    private static Node? OutputLayer(Graph graph, Func<Value, bool> isMatrixToo) => graph.Outputs.Count == 0
        ? null
        : HeadPath.To(graph.Outputs[0], n => WeightOf(n, isMatrixToo) is not null)?.Product;

    /// <summary>Whether a node multiplies by a constant matrix.</summary>
    internal static bool IsProduct(Node node) => WeightOf(node, static _ => false) is not null;

    private static (Value Weight, bool IsOutByIn)? WeightOf(Node node, Func<Value, bool> isMatrixToo)
    {
        if (!node.Is("MatMul") && !node.Is("Gemm"))
            return null;
        if (node.Input(0) is not { Constant: null }
            || node.Input(1) is not { } weight || node.Attributes.Int("transA", 0) != 0)
            return null;
        var isTransposed = node.Attributes.Int("transB", 0) != 0;
        if (weight.Producer is { } producer && producer.Is("Transpose") && IsMatrixTranspose(producer))
            (weight, isTransposed) = (producer.Inputs[0]!, !isTransposed);
        var isConstant = weight.Constant is not null && weight.Initializer is { Dims.Length: 2 };
        var trains = weight.Shape is { Rank: 2 } && isMatrixToo(weight);
        var isMatrix = ((isConstant || trains) && weight.Type.IsFloating()) || QuantizedWeight.Find(weight) is not null;
        return isMatrix ? (weight, isTransposed) : null;
    }

    private static bool IsMatrixTranspose(Node transpose) => transpose.Attributes.Ints("perm") is null or [1, 0];

    /// <summary>A vector with one number for each feature; a single one that is added to all is no layer's bias.</summary>
    private static (Value? Bias, Node? Add) BiasOf(Node node, long? features)
    {
        if (node.Is("Gemm"))
            return (node.Input(2) is { Initializer.Dims: [var length] } c && IsWhole(length) ? c : null, null);
        var add = node.Output.Uses.Count == 1 ? node.Output.Uses[0].Node : null;
        if (add is null || !add.Is("Add"))
            return (null, null);
        var other = add.Inputs[0] == node.Output ? add.Inputs[1] : add.Inputs[0];
        return other is { Initializer.Dims: [var count] } && other.Constant is not null && IsWhole(count)
            ? (other, add)
            : (null, null);

        bool IsWhole(long length) => features is not { } all || length == all;
    }
}
