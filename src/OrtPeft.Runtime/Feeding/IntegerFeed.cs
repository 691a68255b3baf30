using Microsoft.ML.OnnxRuntime;
using OrtPeft.Tensors;

namespace OrtPeft.Runtime.Feeding;

/// <summary>Whole numbers as the element type that a graph wants: exporters disagree on that of ids and
/// masks.</summary>
internal static class IntegerFeed
{
    /// <summary>Whether whole numbers can be fed as a type.</summary>
    /// <param name="type">What a graph's input states.</param>
    /// <returns>Whether it is int64, int32, float32 or bool.</returns>
    public static bool Supports(ElementType type) =>
        type is ElementType.Int64 or ElementType.Int32 or ElementType.Float or ElementType.Bool;

    /// <summary>Makes the value.</summary>
    /// <param name="type">What the graph's input states.</param>
    /// <param name="numbers">Row by row; bool takes those that are not 0.</param>
    /// <param name="dims">The axes.</param>
    /// <returns>The value; the caller disposes it.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The type is none of those.</exception>
    public static OrtValue Of(ElementType type, long[] numbers, params long[] dims) => type switch
    {
        ElementType.Int64 => TensorValues.Over(numbers, dims),
        ElementType.Int32 => TensorValues.Over(Array.ConvertAll(numbers, static n => checked((int)n)), dims),
        ElementType.Float => TensorValues.Over(Array.ConvertAll(numbers, static n => (float)n), dims),
        ElementType.Bool => TensorValues.Over(Array.ConvertAll(numbers, static n => n != 0), dims),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No whole numbers of this type can be fed."),
    };
}
