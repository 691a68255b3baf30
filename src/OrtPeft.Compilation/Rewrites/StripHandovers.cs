using OrtPeft.Kernels;
using OrtPeft.Kernels.Products;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>
/// Where a product's result goes through GELU, or its gradient, into the next product and nowhere else, it is written
/// in the order in which that one reads: nobody has to pack it. Products in bfloat16 read another one.
/// </summary>
internal static class StripHandovers
{
    public static void Run(GraphBuilder g)
    {
        foreach (var node in g.Graph.Nodes.ToArray())
        {
            if (PackedMatMul.Gelu.Is(node) && Reader(node, PackedMatMul.Forward, node.Outputs[1]) is { } forward)
                Replace(g, node, PackedMatMul.GeluInStrips, forward, PackedMatMul.OfStrips);
            else if (PackedMatMul.GeluGrad.Is(node)
                && Reader(node, PackedMatMul.Transposed, node.Inputs[3]!) is { } backward)
                Replace(g, node, PackedMatMul.GeluGradInStrips, backward, PackedMatMul.TransposedOfStrips);
        }
    }

    /// <summary>The product that alone reads the first result, if its own has rows like a given value's.</summary>
    private static Node? Reader(Node node, FusedOp op, Value like) =>
        node.Outputs[0] is { IsGraphOutput: false, Uses: [{ Index: 0, Node: var reader }] } && op.Is(reader)
        && reader.Inputs[1]!.Type is not ElementType.BFloat16 && like.Shape is { Rank: > 0 } shape && reader.Output.Shape is { Rank: > 0 } result
        && SameRows.AreOfOneShape([.. shape.Take(shape.Rank - 1)], [.. result.Take(result.Rank - 1)]) ? reader : null;

    private static void Replace(GraphBuilder g, Node node, FusedOp op, Node reader, FusedOp readerOp)
    {
        var results = op.Apply(g, node, [.. node.Inputs], [.. node.Outputs]);
        results[0].Shape = null;
        var like = node.Outputs.Count > 1 ? results[1] : node.Inputs[3];
        var product = readerOp.Apply(
            g, reader, [results[0], .. reader.Inputs.Skip(1).Take(2), like, .. reader.Inputs.Skip(3)], reader.Output);
        Replacement.Put(g, reader, product);
        Replacement.Put(g, node, results);
    }
}
