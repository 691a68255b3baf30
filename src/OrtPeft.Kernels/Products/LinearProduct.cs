using System.Collections.Immutable;
using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Products;

/// <summary>A product with a constant float32 matrix on its right, which may stand in few bits.</summary>
/// <param name="Node">A <c>MatMul</c>, a <c>Gemm</c> that does not transpose its first operand, or a layer with LoRA.
/// </param>
/// <param name="Weight">[rows, columns], or [columns, rows] where it is multiplied transposed.</param>
/// <param name="RowAxis">The axis of the weight that the product sums over: 0, or 1 where it is transposed.</param>
public sealed record LinearProduct(Node Node, Value Weight, int RowAxis)
{
    /// <summary>The weight's other axis.</summary>
    public int ColumnAxis => 1 - RowAxis;

    /// <summary>How many elements the product sums over.</summary>
    public long Rows => Dims[RowAxis];

    /// <summary>How many sums a row has.</summary>
    public long Columns => Dims[ColumnAxis];

    private ImmutableArray<long> Dims => ConstantWeight.DimsOf(Weight)!.Value;

    /// <summary>A node of a standard operator as a product with numbers that the graph holds.</summary>
    /// <param name="node">Any node.</param>
    /// <returns>The product, or null.</returns>
    public static LinearProduct? Of(Node node) =>
        OfStandard(node) is { Weight.Initializer: not null } product ? product : null;

    /// <summary>A node of a standard operator as such a product.</summary>
    /// <inheritdoc cref="Of"/>
    public static LinearProduct? OfStandard(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
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

    /// <summary>A node of any operator as such a product.</summary>
    /// <inheritdoc cref="Of"/>
    public static LinearProduct? OfAny(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var isForward = LowRankLinear.Forward.Is(node);
        if (!isForward && !LowRankLinear.Backward.Is(node))
            return OfStandard(node);
        var sumsOverFirst = isForward != LowRankLinear.IsTransposed(node);
        return new LinearProduct(node, node.Inputs[isForward ? 1 : 2]!, sumsOverFirst ? 0 : 1);
    }

    /// <summary>Whether panels that were packed for sums over an axis serve the product: layers with LoRA run forwards
    /// on them, their gradients backwards, and any other product both ways.</summary>
    /// <param name="rowAxis">The weight's axis that those sums run over.</param>
    /// <returns>Whether they do.</returns>
    public bool IsReadBy(int rowAxis) => LowRankLinear.Forward.Is(Node) ? RowAxis == rowAxis
        : !LowRankLinear.Backward.Is(Node) || RowAxis != rowAxis;
}
