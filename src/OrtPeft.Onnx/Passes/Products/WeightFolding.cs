using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Products;

/// <summary>
/// Computes weights that nodes make of constants, so that they are layers. What only gives a constant other axes keeps its
/// bytes; other weights become float32, all but matrices in few bits that products read as they are.
/// </summary>
internal static class WeightFolding
{
    /// <summary>Whether a value is a constant or made of constants by operators that <see cref="ConstantValue"/> knows.</summary>
    public static bool IsOfConstants(Value? value) => value is not null && ConstantValue.CanBeOf(value);

    /// <summary>Gives a product its weight as a constant.</summary>
    public static void Fold(Node node, GraphBuilder g)
    {
        for (var i = 0; i < Math.Min(2, node.Inputs.Count); i++)
        {
            var value = node.Inputs[i]!;
            var reader = node;
            if (ConstantMatrix.IsTurned(value))
                (reader, value) = (value.Producer!, value.Producer!.Inputs[0]!);
            if (value.Producer is null || ConstantMatrix.Is(value) || QuantizedWeight.Find(value) is not null
                || ConstantValue.Of(value) is not { } content || !content.Type.IsFloating() || content.Dims.Length < 2)
                continue;
            var source = ConstantValue.LargestSource(value);
            if (value.Uses.Count > 1)
                g.Graph.ReplaceAllUsesWith(value, SameBytes.Named(g, source, content));
            else
                reader.SetInput(reader == node ? i : 0, SameBytes.Named(g, source, content));
        }
    }
}
