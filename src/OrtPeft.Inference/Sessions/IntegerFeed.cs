using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx;

namespace OrtPeft.Inference.Sessions;

/// <summary>Whole numbers as the element type that a graph wants: exporters disagree on that of ids and
/// masks.</summary>
internal static class IntegerFeed
{
    public static bool Supports(ElementType type) =>
        type is ElementType.Int64 or ElementType.Int32 or ElementType.Float or ElementType.Bool;

    public static OrtValue Of(ElementType type, long[] numbers, params long[] dims) => type switch
    {
        ElementType.Int64 => TensorValues.Over(numbers, dims),
        ElementType.Int32 => TensorValues.Over(Array.ConvertAll(numbers, static n => checked((int)n)), dims),
        ElementType.Float => TensorValues.Over(Array.ConvertAll(numbers, static n => (float)n), dims),
        ElementType.Bool => TensorValues.Over(Array.ConvertAll(numbers, static n => n != 0), dims),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No whole numbers of this type can be fed."),
    };
}
