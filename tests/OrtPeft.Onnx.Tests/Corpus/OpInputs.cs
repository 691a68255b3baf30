using Microsoft.ML.OnnxRuntime;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Corpus;

/// <summary>Inputs for single nodes: floats between 0 and 1, integers 0 and 1 so that they serve as indices.</summary>
internal static class OpInputs
{
    public static Dictionary<string, OrtValue> For(Graph graph, IReadOnlyDictionary<string, long> symbols) =>
        graph.Inputs.ToDictionary(static i => i.Name, i => Create(i, symbols));

    private static OrtValue Create(Value input, IReadOnlyDictionary<string, long> symbols)
    {
        long[] dims = [.. input.Shape!.Select(d => d.Expression!.Evaluate(symbols)!.Value)];
        var count = (int)dims.Aggregate(1L, static (a, b) => a * b);
        return input.Type switch
        {
            ElementType.Float => Fill(static i => (i + 0.5f) / 64, count, dims),
            ElementType.Int64 => Fill(static i => (long)(i % 2), count, dims),
            ElementType.Int32 => Fill(static i => i % 2, count, dims),
            ElementType.UInt8 => Fill(static i => (byte)(i % 2), count, dims),
            ElementType.Int8 => Fill(static i => (sbyte)(i % 2), count, dims),
            ElementType.Bool => Fill(static i => i % 2 == 0, count, dims),
            _ => throw new NotSupportedException($"{input}"),
        };
    }

    private static OrtValue Fill<T>(Func<int, T> element, int count, long[] dims)
        where T : unmanaged =>
        OrtValue.CreateTensorValueFromMemory(Enumerable.Range(0, count).Select(element).ToArray(), dims);
}
