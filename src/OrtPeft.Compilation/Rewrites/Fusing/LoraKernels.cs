using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>
/// LoRA's products as part of the layer's own, forwards and backwards, and the gradient of A by a kernel that reads X
/// once. Where dropout stands between the layer's input and A, the nodes stay.
/// </summary>
internal static class LoraKernels
{
    public static void Run(GraphBuilder g)
    {
        foreach (var up in g.Graph.Nodes.Where(static n => n.Is("Gemm")).ToArray())
        {
            if (LoraLayer.Of(up) is not { } layer)
                continue;
            if (LoraGradient.Of(layer) is { } gradient)
                Replace(g, layer, gradient);
            Replace(g, layer);
        }

        // Products that are gone asked for shapes.
        g.Graph.RemoveDeadCode();
        foreach (var gemm in g.Graph.Nodes.Where(IsGradientOfA).ToArray())
            Replacement.Put(
                g, gemm, Fused.Op(g, gemm, FusedOps.LowRankGrad, gemm.Output, gemm.Inputs[0], gemm.Inputs[1]));
    }

    private static void Replace(GraphBuilder g, LoraLayer layer)
    {
        var (product, up) = (layer.Product, layer.Up);
        Value?[] inputs =
            [.. product.Inputs.Take(3), layer.A, layer.B, g.Scalar(ElementType.Float, layer.Alpha), product.Input(3)];
        var results = Fused.Ops(g, up, FusedOps.MatMulLora, inputs, product.Output, layer.U);
        var columns = product.Output.Shape![product.Output.Shape.Rank - 1].Value!.Value;
        Replacement.Put(g, up, product.Output.Shape.Rank == 2 ? results[0] : g.Reshape(results[0], -1, columns));
        Replacement.Put(g, layer.Down, results[1]);
        Replacement.Put(g, product, results[0]);
    }

    private static void Replace(GraphBuilder g, LoraLayer layer, LoraGradient gradient)
    {
        var product = gradient.Product;
        Value?[] inputs =
            [.. product.Inputs, layer.U, layer.A, layer.B, g.Scalar(ElementType.Float, layer.Alpha)];
        var results = Fused.Ops(
            g, product, FusedOps.MatMulLoraGrad, inputs, product.Output, gradient.OfU.Output, gradient.OfB.Output);
        gradient.DropLow(g);
        Replacement.Put(g, product, results[0]);
        Replacement.Put(g, gradient.OfU, results[1]);
        Replacement.Put(g, gradient.OfB, results[2]);
    }

    /// <summary>dUᵀ·X, where X is wider than U.</summary>
    private static bool IsGradientOfA(Node node) => Gemms.Forms(node, transA: true, transB: false)
        && Gemms.IsBare(node) && Gemms.Alpha(node) == 1
        && node.Inputs[0] is { Type: ElementType.Float, Shape: { Rank: 2 } ofU }
        && node.Inputs[1]!.Shape is { Rank: 2 } ofX
        && ofU[1].Value is { } rank and <= FusedOps.LargestRank && ofX[1].Value > rank;
}
