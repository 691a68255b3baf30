using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Artifacts.Speed;

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
            if (!padded.TryGetValue(rows, out var longer))
            {
                g.Before = node;
                g.Scope = node.Name;
                padded.Add(rows, longer = g.Op("Pad", rows, g.Int64(Ends(shape.Rank, shape.Rank - 1))));
            }

            node.SetInput(0, longer);
            g.Before = node;
            node.SetInput(1, g.Op("Pad", product.Weight, g.Int64(Ends(2, product.RowAxis))));
        }

        g.Before = null;
        g.Scope = "";
    }

    /// <summary>Padding at the end of one axis, as <c>Pad</c> takes it.</summary>
    private static long[] Ends(int rank, int axis)
    {
        var pads = new long[2 * rank];
        pads[rank + axis] = RowPadding.Extra;
        return pads;
    }
}
