using OrtPeft.Kernels.Products;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>
/// Lengthens rows of a multiple of 4 KiB where they are multiplied with a constant matrix, for the reason that
/// <see cref="RowPadding"/> has: what it cannot lengthen for a whole region, such as the rows of the model's own width,
/// is copied into longer rows before each product. One copy serves all products of a value.
/// </summary>
internal static class OperandPadding
{
    /// <summary>Products with fewer columns do not win what the copy costs.</summary>
    private const long FewestColumns = 256;

    public static void Run(GraphBuilder g)
    {
        var padded = new Dictionary<Value, Value>();
        foreach (var node in g.Graph.Nodes.ToArray())
        {
            if (LinearProduct.Of(node) is not { } product
                || product.Rows % RowPadding.Period != 0
                || product.Columns < FewestColumns
                || node.Inputs[0] is not { Initializer: null, Shape: { } shape } rows)
                continue;
            g.Before = node;
            g.Scope = node.Name;
            if (!padded.TryGetValue(rows, out var longer))
                padded.Add(rows, longer = RowPadding.Lengthened(g, rows, shape.Rank - 1));
            node.SetInput(0, longer);
            node.SetInput(1, RowPadding.Lengthened(g, product.Weight, product.RowAxis));
        }
    }
}
