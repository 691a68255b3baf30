using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>
/// Where a product's result goes through GELU, or its gradient, into the next product and nowhere else, it is written
/// in the order in which that one reads: nobody has to pack it.
/// </summary>
internal static class StripKernels
{
    public static void Run(GraphBuilder g)
    {
        foreach (var node in g.Graph.Nodes.ToArray())
        {
            if (Fused.Is(node, FusedOps.MatMulGelu) && Reader(node, FusedOps.MatMul, node.Outputs[1]) is { } forward)
                Replace(g, node, FusedOps.MatMulGeluInStrips, forward, FusedOps.MatMulOfStrips);
            else if (Fused.Is(node, FusedOps.MatMulGeluGrad)
                && Reader(node, FusedOps.MatMulTransposed, node.Inputs[3]!) is { } backward)
                Replace(g, node, FusedOps.MatMulGeluGradInStrips, backward, FusedOps.MatMulTransposedOfStrips);
        }
    }

    /// <summary>The product that alone reads the first result, if its own has rows like a given value's.</summary>
    private static Node? Reader(Node node, string op, Value like) =>
        node.Outputs[0] is { IsGraphOutput: false, Uses: [{ Index: 0, Node: var reader }] } && Fused.Is(reader, op)
        && like.Shape is { Rank: > 0 } shape && reader.Output.Shape is { Rank: > 0 } result
        && Rows.AreOfOneShape([.. shape.Take(shape.Rank - 1)], [.. result.Take(result.Rank - 1)]) ? reader : null;

    private static void Replace(GraphBuilder g, Node node, string op, Node reader, string readerOp)
    {
        var results = Fused.Ops(g, node, op, [.. node.Inputs], [.. node.Outputs]);
        results[0].Shape = null;
        var like = node.Outputs.Count > 1 ? results[1] : node.Inputs[3];
        var product = Fused.Op(
            g, reader, readerOp, reader.Output,
            [results[0], .. reader.Inputs.Skip(1).Take(2), like, .. reader.Inputs.Skip(3)]);
        Replacement.Put(g, reader, product);
        Replacement.Put(g, node, results);
    }
}
