using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Inference;

/// <summary>Reads <c>logits [1, sequence, vocabulary]</c> row by row as float32, whatever the graph's precision
/// is.</summary>
internal sealed class LogitRows
{
    private readonly OrtValue _value;
    private readonly TensorElementType _type;

    /// <summary>Looks at a value without owning it.</summary>
    /// <exception cref="NotSupportedException">The value is not float32, float16 or float64.</exception>
    public LogitRows(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        _value = value;
        _type = info.ElementDataType;
        Width = (int)info.Shape[^1];
        First = info.Shape[0];
        Count = Width == 0 ? 0 : (int)(info.ElementCount / Width);
        if (_type is not (TensorElementType.Float or TensorElementType.Float16 or TensorElementType.Double))
        {
            throw new NotSupportedException(
                $"Output '{DecoderNames.Logits}' is {_type}; float32, float16 or float64 is expected.");
        }
    }

    /// <summary>Numbers per row: the vocabulary, padding included.</summary>
    public int Width { get; }

    /// <summary>The length of the first axis: the batch, or in models of another order the sequence.</summary>
    public long First { get; }

    /// <summary>The number of positions.</summary>
    public int Count { get; }

    /// <summary>The logits of one position; valid until the value is disposed.</summary>
    public ReadOnlySpan<float> this[int position] => _type switch
    {
        TensorElementType.Float => Row<float>(position),
        TensorElementType.Float16 => Convert(Row<Float16>(position), static v => v.ToFloat()),
        _ => Convert(Row<double>(position), static v => (float)v),
    };

    /// <summary>Refuses a graph without logits.</summary>
    /// <exception cref="GraphException">No output is named as logits are, or it is not a row of numbers per position; the
    /// message says what there is.</exception>
    public static void Check(Graph graph)
    {
        if (graph.Outputs.FirstOrDefault(static o => o.Name == DecoderNames.Logits) is not { } logits)
        {
            var names = string.Join(", ", graph.Outputs.Take(5).Select(static o => o.Name));
            throw new GraphException(
                $"Graph '{graph.Name}': no output is clearly the logits (there are: "
                + $"{(names.Length == 0 ? "none" : names)}); export the model with its language-model "
                + $"head, and the logits under the name '{DecoderNames.Logits}'.");
        }

        var isNumber = logits.Type == ElementType.Undefined || logits.Type.IsFloating();
        if (!isNumber || logits.Shape is { Rank: not 3 })
        {
            throw new GraphException(
                $"Graph '{graph.Name}': the output {logits} must be floating-point [batch, sequence, vocabulary]; "
                + "export the model with its language-model head.");
        }
    }

    /// <summary>The vocabulary, padding included, when the graph states it.</summary>
    public static int? WidthOf(Graph graph) =>
        graph.Outputs.First(static o => o.Name == DecoderNames.Logits).Shape is { Rank: > 0 } shape
            ? shape[shape.Rank - 1].ToCount()
            : null;

    private ReadOnlySpan<T> Row<T>(int position)
        where T : unmanaged => _value.GetTensorDataAsSpan<T>().Slice(position * Width, Width);

    private static float[] Convert<T>(ReadOnlySpan<T> row, Func<T, float> convert)
    {
        var result = new float[row.Length];
        for (var i = 0; i < result.Length; i++)
            result[i] = convert(row[i]);
        return result;
    }
}
