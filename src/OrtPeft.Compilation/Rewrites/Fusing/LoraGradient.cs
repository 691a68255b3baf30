using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>The gradients of a layer with LoRA, whose products all read dY, and the sum that adds up dX.</summary>
/// <param name="Product">dY·Wᵀ, a <see cref="FusedOps.MatMulTransposed"/>.</param>
/// <param name="OfU">dU = α·dY·B.</param>
/// <param name="OfB">dB = α·dYᵀ·U.</param>
/// <param name="OfX">The sum that adds dU·A; <see cref="Product"/> is added there, too, or to the same sum before or
/// behind it.</param>
/// <param name="Low">dU·A as the sum reads it.</param>
internal sealed record LoraGradient(Node Product, Node OfU, Node OfB, Node OfX, Value Low)
{
    /// <summary>A layer's gradients; null where one of them is missing, as in the first layer, which needs no dX.
    /// </summary>
    public static LoraGradient? Of(LoraLayer layer)
    {
        var ofB = Fused.Readers(layer.U, "Gemm").FirstOrDefault(n => n.Inputs[1] == layer.U
            && Gemms.Forms(n, transA: true, transB: false) && IsScaled(n));
        var ofU = Fused.Readers(layer.B, "Gemm").FirstOrDefault(n => n.Inputs[1] == layer.B
            && Gemms.Forms(n, transA: false, transB: false) && IsScaled(n)
            && Rows.AreSame(n.Inputs[0], ofB?.Inputs[0]));
        if (ofB is null || ofU is null)
            return null;
        var product = layer.Product.Inputs[1]!.Uses.Select(static u => u.Node).FirstOrDefault(n =>
            Fused.Is(n, FusedOps.MatMulTransposed) && Rows.AreSame(n.Inputs[0], ofB.Inputs[0]));
        var low = Fused.Readers(ofU.Output, "Gemm").FirstOrDefault(n => n.Inputs[1] == layer.A
            && Gemms.Forms(n, transA: false, transB: false) && Gemms.IsBare(n) && Gemms.Alpha(n) == 1);
        if (product is null || low is null || Rows.Reader(low.Output, "Add") is not { Output.IsGraphOutput: false } sum
            || !Sums(product.Output).Intersect(Sums(low.Output)).Any())
            return null;
        var term = sum.Inputs.First(i => Rows.AreSame(i, low.Output))!;
        return new LoraGradient(product, ofU, ofB, sum, term);

        bool IsScaled(Node gemm) => Gemms.IsBare(gemm) && Gemms.Alpha(gemm) == layer.Alpha;
    }

    /// <summary>Takes dU·A out of the sum.</summary>
    public void DropLow(GraphBuilder g)
    {
        var rest = Fused.Other(OfX, Low)!;
        g.Graph.ReplaceAllUsesWith(OfX.Output, rest);
        g.Graph.Remove(OfX);
    }

    /// <summary>The sums of values of one shape that a value goes into, and nothing else does with it.</summary>
    private static IEnumerable<Node> Sums(Value value)
    {
        while (Rows.Reader(value, "Add") is { } add
            && add.Inputs.All(i => Rows.AreOfOneShape(i!.Shape, add.Output.Shape)))
        {
            yield return add;
            value = add.Output;
        }
    }
}
