using OrtPeft.Kernels;
using OrtPeft.Kernels.Layouts;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>
/// Products with constant matrices by OrtPeft's own kernel, which reads one packed copy forwards and backwards.
/// </summary>
internal static class MatMulKernels
{
    public static void Run(GraphBuilder g)
    {
        var products = g.Graph.Nodes.Select(LinearProduct.Of).OfType<LinearProduct>();
        foreach (var ofWeight in products.GroupBy(static p => p.Weight).ToArray())
            Replace(g, ofWeight.Key, [.. ofWeight]);
    }

    private static void Replace(GraphBuilder g, Value weight, LinearProduct[] products)
    {
        var matrix = weight.Initializer!;
        // The graph's first product is the forward one, which reads the panels as they are.
        var rowAxis = products[0].RowAxis;
        (g.Before, g.Scope) = (products[0].Node, products[0].Node.Name);
        var packed = g.Constant(PackedMatrix.Pack(matrix, isTransposed: rowAxis == 1), $"{weight.Name}.packed");
        (matrix.Data as MappedTensorData)?.File.ReleasePages();
        var dims = g.Int64(products[0].Rows, products[0].Columns);
        foreach (var product in products)
        {
            var node = product.Node;
            var op = product.RowAxis == rowAxis ? FusedOps.MatMul : FusedOps.MatMulTransposed;
            var hasBias = node.Input(2) is not null && op == FusedOps.MatMul;
            Value?[] inputs = [node.Inputs[0], packed, dims, .. hasBias ? node.Inputs.Skip(2) : []];
            var result = Fused.Op(g, node, op, node.Output, inputs);
            if (node.Input(2) is { } bias && !hasBias)
                result = g.Add(result, bias);
            Replacement.Put(g, node, result);
        }
    }
}
