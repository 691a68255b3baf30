using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Products;

/// <summary>
/// Says a product of one-hot rows and a matrix, as exporters for some accelerators write embeddings, as picking the matrix's
/// rows: <c>MatMul(OneHot(ids, rows, [0, 1]), W)</c> becomes <c>Gather(W, ids)</c>.
/// </summary>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__OneHot.html"/>
internal static class OneHotRows
{
    private static readonly string[] KeepNumbers = ["Cast", "Identity"];

    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model, its products being <c>MatMul</c>.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        if (!graph.Nodes.Any(static n => n.Is("OneHot")))
            return;
        var g = GraphBuilder.Over(model);
        foreach (var product in graph.Nodes.Where(static n => n.Is("MatMul")).ToArray())
        {
            var table = product.Inputs[1]!;
            if (!WeightFolding.IsOfConstants(table) || table.Shape is not { Rank: 2 } shape || shape[0].Value is not { } rows
                || IdsOf(product.Inputs[0]!, rows) is not { } ids)
                continue;
            (g.Before, g.Scope) = (product, NodeScope.Of(product.Name));
            Replacement.Put(g, product, g.Gather(table, ids));
        }

        graph.RemoveDeadCode();
    }

    /// <summary>The places of the last axis, of so many, where a value is 1, and 0 elsewhere; null of other values.</summary>
    private static Value? IdsOf(Value value, long rows)
    {
        while (value.Producer is { Domain: "" } node && KeepNumbers.Contains(node.OpType))
            value = node.Inputs[0]!;
        if (value.Producer is not { } hot || !hot.Is("OneHot")
            || hot.Inputs[0] is not { Type: ElementType.Int64 or ElementType.Int32, Shape: { } shape } ids
            || hot.Attributes.Int("axis", -1) is not -1 and var axis && axis != shape.Rank)
            return null;
        return hot.Inputs[1]?.Constant is { Count: 1 } depth && Number(depth) == rows
            && hot.Inputs[2]?.Constant is { Count: 2 } offOn && IsZeroAndOne(offOn)
                ? ids
                : null;
    }

    private static double Number(Tensor tensor) =>
        tensor.Type.IsFloating() ? tensor.ToFloat32()[0] : tensor.Type is ElementType.Int64 or ElementType.Int32 ? tensor.ToInt64()[0] : -1;

    private static bool IsZeroAndOne(Tensor tensor) => tensor.Type.IsFloating()
        ? tensor.ToFloat32() is [0, 1]
        : tensor.Type is ElementType.Int64 or ElementType.Int32 && tensor.ToInt64() is [0, 1];
}
