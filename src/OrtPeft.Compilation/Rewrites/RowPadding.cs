using OrtPeft.Kernels.Products;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>
/// Lengthens the rows between two linear layers, such as an MLP's, where they take a multiple of 4 KiB: numbers one
/// above the other then fall into the same few sets of the processor's first cache, and products that read such rows
/// run at three quarters of their speed. The weights get columns and rows of zeros, which ONNX Runtime computes when it
/// opens the session; so every number that leaves the second layer is the same.
/// </summary>
internal static class RowPadding
{
    /// <summary>Row lengths of which a multiple is padded: 4096 bytes of float32.</summary>
    public const long Period = 1024;

    /// <summary>A cache line of 64 bytes.</summary>
    public const long Extra = 16;

    public static void Run(GraphBuilder g)
    {
        foreach (var node in g.Graph.Nodes.ToArray())
        {
            if (LinearProduct.Of(node) is { } product && product.Columns % Period == 0)
                PaddedRegion.Grow(product)?.Pad(g);
        }
    }

    /// <summary>A value with zeros at the end of one axis.</summary>
    public static Value Lengthened(GraphBuilder g, Value value, int axis)
    {
        var rank = value.Shape!.Rank;
        var pads = new long[2 * rank];
        pads[rank + axis] = Extra;
        return g.Op("Pad", value, g.Int64(pads));
    }
}
