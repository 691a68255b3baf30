using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Products;

/// <summary>
/// A product's bias as a vector that is added to the product: graphs have it as [1, out] too, and as [out, 1] where the
/// product is turned before it is added.
/// </summary>
internal static class ProductBias
{
    public static void Put(Value product, GraphBuilder g)
    {
        if (product.Producer is { } gemm && gemm.Is("Gemm"))
            PutInGemm(gemm, g);
        if (product.Producer is not { } node || !node.Is("MatMul") || product.Shape is not { Rank: var rank } shape
            || Only(product) is not { } reader)
            return;
        var (sum, axis, turn) = (reader, rank - 1, (Node?)null);
        if (reader.Is("Transpose") && reader.Attributes.Ints("perm") is { } perm && Only(reader.Output) is { } next)
            (sum, axis, turn) = (next, Array.IndexOf(perm, rank - 1), reader);
        if (!sum.Is("Add"))
            return;
        var added = (turn ?? node).Output;
        var other = sum.Inputs[0] == added ? sum.Inputs[1]! : sum.Inputs[0]!;
        if (other is not { Initializer: { } content, IsGraphInput: false } || !content.Type.IsFloating()
            || (turn is null && content.Dims.Length == 1) || !IsAlong(content, axis, rank) || content.Count != shape[rank - 1].Value)
            return;
        (g.Before, g.Scope) = (sum, NodeScope.Of(sum.Name));
        var result = g.Add(product, content.Dims.Length == 1 ? other : SameBytes.As(g, other, content.Count));
        if (turn is not null)
            result = g.Op("Transpose", [result], [.. turn.Attributes]);
        Replacement.Put(g, sum, result);
    }

    private static void PutInGemm(Node gemm, GraphBuilder g)
    {
        if (gemm.Input(2) is { Initializer.Dims: [1, var length], IsGraphInput: false } bias
            && gemm.Output.Shape is { Rank: 2 } shape && shape[1].Value == length)
            gemm.SetInput(2, SameBytes.As(g, bias, length));
    }

    /// <summary>Whether a constant has one number for each place of an axis and repeats along the others.</summary>
    private static bool IsAlong(Tensor content, int axis, int rank)
    {
        var at = content.Dims.Length - (rank - axis);
        return content.Dims.Length <= rank && at >= 0
            && content.Dims.Index().All(d => d.Index == at || d.Item == 1);
    }

    private static Node? Only(Value value) => !value.IsGraphOutput && value.Uses is [{ Node: var reader }] ? reader : null;
}
