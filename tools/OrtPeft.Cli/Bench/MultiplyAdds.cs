using OrtPeft.Onnx;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Cli.Bench;

/// <summary>Counts the multiply-adds of a graph's matrix products.</summary>
internal static class MultiplyAdds
{
    /// <summary>Counts them for one batch.</summary>
    /// <param name="model">A training graph; its inputs' shapes become the batch's.</param>
    /// <param name="batch">Rows.</param>
    /// <param name="sequence">Tokens of a row.</param>
    /// <param name="supervised">Labels that count: the length of the axis of picked positions, the only one that
    /// depends on data.</param>
    public static long Count(Model model, long batch, long sequence, long supervised)
    {
        var graph = model.Graph;
        foreach (var input in graph.Inputs.Where(static i => i.Type == ElementType.Int64 && i.Shape is { Rank: 2 }))
            input.Shape = [batch, sequence];
        new ShapeInference(model.Opset).Infer(graph);
        return graph.Nodes.Sum(node => Of(node, supervised));
    }

    private static long Of(Node node, long supervised)
    {
        if (!node.Is("MatMul") && !node.Is("Gemm"))
            return 0;
        if (node.Inputs[0]!.Shape is not { } left || node.Output.Shape is not { } result)
            return 0;
        var isTransposed = node.Is("Gemm") && node.Attributes.Int("transA", 0) != 0;
        var inner = Length(left[isTransposed ? 0 : left.Rank - 1]);
        return Enumerable.Range(0, result.Rank).Aggregate(inner, (product, axis) => product * Length(result[axis]));

        long Length(Dim axis) => axis.Value ?? supervised;
    }
}
