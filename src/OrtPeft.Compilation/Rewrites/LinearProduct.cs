using System.Collections.Immutable;
using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>A product with a constant float32 matrix on its right, which may stand in few bits.</summary>
/// <param name="Node">A <c>MatMul</c>, a <c>Gemm</c> that does not transpose its first operand, or a layer with LoRA.
/// </param>
/// <param name="Weight">[rows, columns], or [columns, rows] where it is multiplied transposed.</param>
/// <param name="RowAxis">The axis of the weight that the product sums over: 0, or 1 where it is transposed.</param>
internal sealed record LinearProduct(Node Node, Value Weight, int RowAxis)
{
    public int ColumnAxis => 1 - RowAxis;

    public long Rows => Dims[RowAxis];

    public long Columns => Dims[ColumnAxis];

    private ImmutableArray<long> Dims => ConstantWeight.DimsOf(Weight)!.Value;

    /// <summary>A node of a standard operator as a product with numbers that the graph holds, or null.</summary>
    public static LinearProduct? Of(Node node) => OfStandard(node) is { Weight.Initializer: not null } product ? product : null;

    private static LinearProduct? OfStandard(Node node)
    {
        var isGemm = node.Is("Gemm");
        if (!isGemm && !node.Is("MatMul"))
            return null;
        if (node.Inputs[1] is not { Type: ElementType.Float } weight || ConstantWeight.DimsOf(weight) is not { Length: 2 })
            return null;
        if (!isGemm)
            return new LinearProduct(node, weight, 0);
        var isPlain = node.Attributes.Int("transA", 0) == 0
            && node.Attributes.Float("alpha", 1) == 1 && node.Attributes.Float("beta", 1) == 1
            && node.Input(2) is null or { Initializer.Dims.Length: 1 };
        return isPlain ? new LinearProduct(node, weight, node.Attributes.Int("transB", 0) != 0 ? 1 : 0) : null;
    }

    /// <summary>A node of any operator as such a product, or null.</summary>
    public static LinearProduct? OfAny(Node node)
    {
        var isForward = LowRankLinear.Forward.Is(node);
        if (!isForward && !LowRankLinear.Backward.Is(node))
            return OfStandard(node);
        var sumsOverFirst = isForward != LowRankLinear.IsTransposed(node);
        return new LinearProduct(node, node.Inputs[isForward ? 1 : 2]!, sumsOverFirst ? 0 : 1);
    }

    /// <summary>Whether panels that were packed for sums over an axis serve the product: layers with LoRA run forwards
    /// on them, their gradients backwards, and any other product both ways.</summary>
    public bool IsReadBy(int rowAxis) => LowRankLinear.Forward.Is(Node) ? RowAxis == rowAxis
        : !LowRankLinear.Backward.Is(Node) || RowAxis != rowAxis;
}
