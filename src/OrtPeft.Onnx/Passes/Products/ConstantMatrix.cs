using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Products;

/// <summary>A layer's weight where a product reads it: a matrix that a graph has, or makes of few bits.</summary>
internal static class ConstantMatrix
{
    /// <summary>Whether a value is a weight or its transpose. A single row or column, such as the frequencies of rotary
    /// embedding, is not one.</summary>
    public static bool Is(Value? value)
    {
        if (value is null)
            return false;
        var source = IsTurned(value) ? value.Producer!.Inputs[0]! : value;
        return source.Type.IsFloating() && !source.IsGraphInput && ConstantWeight.DimsOf(source) is [> 1, > 1];
    }

    /// <summary>Whether a value is a weight or its transpose, of any length: what a <c>Gemm</c> scales is a layer's.</summary>
    public static bool IsOfAnyLength(Value value)
    {
        var source = IsTurned(value) ? value.Producer!.Inputs[0]! : value;
        return source.Type.IsFloating() && !source.IsGraphInput && ConstantWeight.DimsOf(source) is { Length: 2 };
    }

    /// <summary>The matrix with its axes swapped.</summary>
    public static Value Turned(GraphBuilder g, Value weight) =>
        IsTurned(weight) ? weight.Producer!.Inputs[0]! : g.Transpose(weight, 1, 0);

    /// <summary>Whether a node swaps the axes of a matrix to make the value.</summary>
    public static bool IsTurned(Value value) => value.Producer is { } turn && turn.Is("Transpose")
        && turn.Attributes.Ints("perm") is null or [1, 0];
}
