using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Products;

/// <summary><c>MatMul</c> and <c>Gemm</c> whose weight stands on the left, or whose factors come after the product.</summary>
internal static class MatrixProduct
{
    /// <summary>W·x is (xᵀ·Wᵀ)ᵀ; a weight [1, in, out] is a matrix.</summary>
    public static (Value Product, Value Result)? OfMatMul(Node node, GraphBuilder g)
    {
        var (left, right) = (node.Inputs[0]!, node.Inputs[1]!);
        if (ConstantMatrix.Is(right))
            return null;
        if (right is { Initializer.Dims: [.. var ones, var ins, var outs], IsGraphInput: false } && !ones.IsEmpty
            && ones.All(static n => n == 1) && left.Shape?.Rank >= ones.Length + 2 && right.Type.IsFloating())
        {
            var product = g.MatMul(left, SameBytes.As(g, right, ins, outs));
            return (product, product);
        }

        if (!ConstantMatrix.Is(left) || right.Constant is not null || right.Shape?.Rank is not (>= 2 and var rank))
            return null;
        long[] swap = [.. Enumerable.Range(0, rank - 2).Select(static i => (long)i), rank - 1, rank - 2];
        var turned = g.MatMul(g.Transpose(right, swap), ConstantMatrix.Turned(g, left));
        return (turned, g.Transpose(turned, swap));
    }

    /// <summary>
    /// α·A′·B′ + β·C. The weight is the constant under its own name: the factors are the graph's, after the layer.
    /// </summary>
    public static (Value Product, Value Result)? OfGemm(Node node, GraphBuilder g)
    {
        var (a, b) = (node.Inputs[0]!, node.Inputs[1]!);
        var (alpha, beta) = (node.Attributes.Float("alpha", 1), node.Attributes.Float("beta", 1));
        var (turnsA, turnsB) = (node.Attributes.Int("transA", 0) != 0, node.Attributes.Int("transB", 0) != 0);
        var isLeft = ConstantMatrix.Is(a) && b.Constant is null && !ConstantMatrix.Is(b);
        if (!isLeft && (!ConstantMatrix.IsOfAnyLength(b) || a.Constant is not null || (alpha == 1 && beta == 1 && !turnsA)))
            return null;
        if (isLeft)
            (a, b, turnsA, turnsB) = (b, a, !turnsB, !turnsA);
        if (turnsA)
            a = g.Transpose(a, 1, 0);
        if (turnsB)
            b = ConstantMatrix.Turned(g, b);
        var product = g.MatMul(a, b);
        var result = isLeft ? g.Transpose(product, 1, 0) : product;
        if (alpha != 1)
            result = g.Mul(result, alpha);
        if (node.Input(2) is { } c)
            result = g.Add(result, beta == 1 ? c : g.Mul(c, beta));
        return (product, result);
    }
}
