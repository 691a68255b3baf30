using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>A product with a constant float32 matrix on its right, and <c>Gemm</c>'s vector, if any.</summary>
/// <param name="Node">A <c>MatMul</c>, or a <c>Gemm</c> that does not transpose its first operand.</param>
/// <param name="Weight">[rows, columns], or [columns, rows] where it is multiplied transposed.</param>
/// <param name="RowAxis">The axis of the weight that the product sums over: 0, or 1 where it is transposed.</param>
internal sealed record LinearProduct(Node Node, Value Weight, int RowAxis)
{
    public int ColumnAxis => 1 - RowAxis;

    public long Rows => Weight.Initializer!.Dims[RowAxis];

    public long Columns => Weight.Initializer!.Dims[ColumnAxis];

    /// <summary>A node as such a product, or null.</summary>
    public static LinearProduct? Of(Node node)
    {
        var isGemm = node.Is("Gemm");
        if (!isGemm && !node.Is("MatMul"))
            return null;
        if (node.Inputs[1] is not { Initializer: { Type: ElementType.Float, Dims.Length: 2 } } weight)
            return null;
        if (!isGemm)
            return new LinearProduct(node, weight, 0);
        var isPlain = node.Attributes.Int("transA", 0) == 0
            && node.Attributes.Float("alpha", 1) == 1 && node.Attributes.Float("beta", 1) == 1
            && node.Input(2) is null or { Initializer.Dims.Length: 1 };
        return isPlain ? new LinearProduct(node, weight, node.Attributes.Int("transB", 0) != 0 ? 1 : 0) : null;
    }
}
