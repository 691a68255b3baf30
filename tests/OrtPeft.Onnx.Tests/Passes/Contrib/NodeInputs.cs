using Microsoft.ML.OnnxRuntime;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes.Contrib;

/// <summary>
/// Inputs for single nodes: floats from −2 to 2 so that masks and causality show, integers 0 and 1 at random.
/// </summary>
internal static class NodeInputs
{
    public static Dictionary<string, OrtValue> For(Graph graph, IReadOnlyDictionary<string, long> symbols, int seed)
    {
        var random = new Random(seed);
        return graph.Inputs.ToDictionary(static i => i.Name, i => Create(i, symbols, random));
    }

    /// <summary>The same boolean everywhere.</summary>
    public static OrtValue Flags(bool flag, params long[] dims) =>
        Fill(() => flag, (int)dims.Aggregate(1L, static (a, b) => a * b), dims);

    private static OrtValue Create(Value input, IReadOnlyDictionary<string, long> symbols, Random random)
    {
        long[] dims = [.. input.Shape!.Select(d => d.Expression!.Evaluate(symbols)!.Value)];
        var count = (int)dims.Aggregate(1L, static (a, b) => a * b);
        return input.Type switch
        {
            ElementType.Float => Fill(() => (float)((random.NextDouble() * 4) - 2), count, dims),
            ElementType.Int32 => Fill(() => random.Next(2), count, dims),
            ElementType.Int64 => Fill(() => random.NextInt64(2), count, dims),
            ElementType.Bool => Fill(() => random.Next(4) > 0, count, dims),
            _ => throw new NotSupportedException($"{input}"),
        };
    }

    private static OrtValue Fill<T>(Func<T> element, int count, long[] dims)
        where T : unmanaged =>
        OrtValue.CreateTensorValueFromMemory(Enumerable.Range(0, count).Select(_ => element()).ToArray(), dims);
}
