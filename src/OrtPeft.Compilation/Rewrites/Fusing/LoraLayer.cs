using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>A layer with LoRA, α·(X·Aᵀ)·Bᵀ + X·W, in a training graph.</summary>
/// <param name="Product">X·W, a <see cref="FusedOps.MatMul"/>.</param>
/// <param name="Down">U = X·Aᵀ.</param>
/// <param name="Up">The whole: a <c>Gemm</c> that adds the product.</param>
internal sealed record LoraLayer(Node Product, Node Down, Node Up)
{
    public Value A => Down.Inputs[1]!;

    public Value B => Up.Inputs[1]!;

    public Value U => Down.Output;

    public float Alpha => Gemms.Alpha(Up);

    /// <summary>The layer whose sum a node is, or null.</summary>
    public static LoraLayer? Of(Node up)
    {
        if (!Gemms.Forms(up, transA: false, transB: true) || up.Attributes.Float("beta", 1) != 1
            || up.Input(2) is not { } rest || Rows.Source(rest) is not { Producer: { } product } sum
            || !Fused.Is(product, FusedOps.MatMul) || Rows.Reader(sum, "Gemm") != up)
            return null;
        return Fused.Maker(up.Inputs[0], "Gemm") is { } down
            && Gemms.Forms(down, transA: false, transB: true) && Gemms.IsBare(down) && Gemms.Alpha(down) == 1
            && Rows.AreSame(down.Inputs[0], product.Inputs[0])
            && IsMatrixOf(down.Inputs[1]!, 0) && IsMatrixOf(up.Inputs[1]!, 1)
            ? new LoraLayer(product, down, up)
            : null;
    }

    private static bool IsMatrixOf(Value factor, int rankAxis) =>
        factor is { Type: ElementType.Float, Shape: { Rank: 2 } shape }
        && shape[rankAxis].Value is > 0 and <= FusedOps.LargestRank;
}
