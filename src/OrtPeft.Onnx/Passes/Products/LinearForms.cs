using System.Collections.Frozen;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes.Products;

/// <summary>
/// Says every product with a constant matrix in one form, x·W with the features on the last axis: <c>Einsum</c>, weights
/// on the left, <c>Gemm</c> with factors or a transposed input, and weights that other nodes make of constants.
/// Products of other kinds stay.
/// </summary>
internal static class LinearForms
{
    /// <summary>Says a node as a product, from which the node's result is made; null where it is of another kind, or
    /// has the form.</summary>
    private delegate (Value Product, Value Result)? Rewrite(Node node, GraphBuilder g);

    private static readonly FrozenDictionary<string, Rewrite> Rows = new Dictionary<string, Rewrite>
    {
        ["Einsum"] = EinsumProduct.Of,
        ["MatMul"] = MatrixProduct.OfMatMul,
        ["Gemm"] = MatrixProduct.OfGemm,
    }.ToFrozenDictionary();

    /// <summary>The operators in the table.</summary>
    public static IEnumerable<string> Operators => Rows.Keys;

    /// <summary>Runs the pass in place; subgraphs stay as they are.</summary>
    /// <param name="model">The model, its constants being initializers.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        var nodes = graph.Nodes.Where(static n => n.Domain.Length == 0 && Rows.ContainsKey(n.OpType)).ToArray();
        GraphBuilder? builder = null;
        foreach (var node in nodes)
        {
            if (node.Inputs.All(static i => i is null or { Constant: not null }) || !node.Inputs.Any(WeightFolding.IsOfConstants))
                continue;
            var g = builder ??= GraphBuilder.Over(model);
            (g.Before, g.Scope) = (node, ScopeOf(node));
            WeightFolding.Fold(node, g);
            if (Rows[node.OpType](node, g) is var (product, result))
                Replacement.Put(g, node, result);
            else
                product = node.Output;
            ProductBias.Put(product, g);
        }

        if (builder is null)
            return;
        TransposePairs.Remove(builder);
        graph.RemoveDeadCode();
    }

    /// <summary>The scope before the node's own name, so that the new product is found in the same module.</summary>
    private static string ScopeOf(Node node) =>
        NodeScope.Of(node.Name) is { Length: > 0 } scope ? scope : node.Name;
}
