using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Operators;

/// <summary>A linear layer with LoRA as it is injected: U = X·Aᵀ, of X itself or after dropout, and a <c>Gemm</c> that adds
/// α·U·Bᵀ to the layer's product.</summary>
/// <param name="Product">X·W, of a constant W.</param>
/// <param name="IsTransposed">Whether W is [o, n].</param>
/// <param name="Down">U.</param>
/// <param name="Other">What A multiplies where that is not X: a matrix of as many rows.</param>
/// <param name="Up">The whole.</param>
internal sealed record LowRankForm(Node Product, bool IsTransposed, Node Down, Value? Other, Node Up)
{
    private Value X => Product.Inputs[0]!;

    /// <summary>Puts one node in the place of all of a form's.</summary>
    public static void Raise(RaisingContext context)
    {
        foreach (var up in context.Nodes("Gemm"))
        {
            if (Of(up) is not { } form)
                continue;
            // The layer's name, not the adapter's.
            (context.G.Before, context.G.Scope) = (up, form.Product.Name);
            if (context.Apply(
                LowRankLinear.Forward,
                [form.X, form.Product.Inputs[1], form.Down.Inputs[1], up.Inputs[1], form.Product.Input(2), form.Other],
                NodeAttribute.Of("transW", form.IsTransposed ? 1L : 0L),
                NodeAttribute.Of("alpha", up.Attributes.Float("alpha", 1))) is not { } results)
                continue;
            (results[0].Shape, results[1].Shape) = (form.Product.Output.Shape, form.Down.Output.Shape);
            Replacement.Put(context.G, up, Matrix(context.G, results[0]));
            Replacement.Put(context.G, form.Down, results[1]);
            // Others asked for the product's shape.
            Replacement.Put(context.G, form.Product, results[0]);
        }
    }

    private static Value Matrix(GraphBuilder g, Value y) =>
        y.Shape is { Rank: 2 } ? y : g.Reshape(y, -1, y.Shape![y.Shape.Rank - 1].Value!.Value);

    private static LowRankForm? Of(Node up)
    {
        if (!Forms(up, transB: true) || up.Attributes.Float("beta", 1) != 1 || up.Input(2) is not { } rest
            || SameRows.Source(rest) is not { Producer: { } product } sum || SameRows.Reader(sum, "Gemm") != up
            || TransposedOf(product) is not { } isTransposed || up.Inputs[0]!.Producer is not { } down)
            return null;
        var other = SameRows.Source(down.Inputs[0]!) == SameRows.Source(product.Inputs[0]!) ? null : down.Inputs[0];
        return product.Output.Shape is { Rank: > 1 } shape && shape[shape.Rank - 1].Value is not null
            && Forms(down, transB: true) && down.Input(2) is null && down.Attributes.Float("alpha", 1) == 1
            && down.Output is { IsGraphOutput: false, Uses: [_] }
            && (other is null || HaveAsManyRows(other, rest))
            && IsMatrix(down.Inputs[1]!) && IsMatrix(up.Inputs[1]!)
            ? new LowRankForm(product, isTransposed, down, other, up)
            : null;
    }

    /// <summary>Whether the constant matrix on a product's right is transposed; null where it is another product.
    /// </summary>
    private static bool? TransposedOf(Node product)
    {
        if (product.Inputs.Count < 2 || product.Inputs[1] is not { } w || !w.Type.IsFloating()
            || ConstantWeight.DimsOf(w) is not { Length: 2 }
            || product.Inputs[0]!.Shape is not { Rank: > 0 } shape || shape[shape.Rank - 1].Value is null)
            return null;
        if (product.Is("MatMul"))
            return false;
        var isPlain = product.Is("Gemm") && product.Attributes.Int("transA", 0) == 0
            && product.Attributes.Float("alpha", 1) == 1 && product.Attributes.Float("beta", 1) == 1
            && product.Input(2) is null or { Shape.Rank: 1 };
        return isPlain ? product.Attributes.Int("transB", 0) != 0 : null;
    }

    private static bool HaveAsManyRows(Value one, Value other) =>
        one.Shape is { Rank: 2 } ofOne && other.Shape is { Rank: 2 } ofOther && ofOne[0].SurelyEquals(ofOther[0]);

    private static bool Forms(Node node, bool transB) => node.Is("Gemm")
        && node.Attributes.Int("transA", 0) == 0 && (node.Attributes.Int("transB", 0) != 0) == transB;

    private static bool IsMatrix(Value factor) => factor is { Shape: { Rank: 2 } shape } && factor.Type.IsFloating()
        && shape[0].Value is not null && shape[1].Value is not null;
}
