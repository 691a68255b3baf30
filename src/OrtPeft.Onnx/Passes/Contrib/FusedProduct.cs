using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// α·A′·B′: each operand may have its first axis moved after the others, then its last two axes swapped.
/// </summary>
internal static class FusedProduct
{
    public static Value Of(Node node, GraphBuilder g)
    {
        var a = Operand(node, g, 0, "transA", "transBatchA");
        var b = Operand(node, g, 1, "transB", "transBatchB");
        var product = g.MatMul(a, b);
        var alpha = node.Attributes.Float("alpha", 1);
        return alpha == 1 ? product : g.Mul(product, alpha);
    }

    private static Value Operand(Node node, GraphBuilder g, int index, string swap, string moveFirst)
    {
        var value = node.Inputs[index]!;
        var (swaps, moves) = (node.Attributes.Int(swap, 0) != 0, node.Attributes.Int(moveFirst, 0) != 0);
        if (!swaps && !moves)
            return value;
        var rank = value.Shape?.Rank ?? throw ContribOps.Refusal(node, $"an operand '{value.Name}' of unknown rank");
        if (rank < 2)
            return value;
        var axes = Enumerable.Range(0, rank).Select(static a => (long)a).ToList();
        if (moves)
            axes = [.. axes[1..^1], axes[0], axes[^1]];
        if (swaps)
            (axes[^1], axes[^2]) = (axes[^2], axes[^1]);
        return g.Transpose(value, [.. axes]);
    }
}
