using Microsoft.ML.OnnxRuntime;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Corpus;

/// <summary>
/// Inputs that a language model accepts: ids in range, masks of ones, positions that follow the past.
/// </summary>
internal static class RandomInputs
{
    private const int SmallestVocabulary = 67;

    public static Dictionary<string, OrtValue> For(Graph graph, Sizes sizes, int seed) =>
        graph.Inputs.Where(static i => i.Initializer is null)
            .ToDictionary(static i => i.Name, i => Create(i, sizes, new Random(seed + i.Name.Length)));

    private static OrtValue Create(Value input, Sizes sizes, Random random)
    {
        var dims = sizes.Of(input.Shape!);
        var count = (int)dims.Aggregate(1L, static (a, b) => a * b);
        return input.Type switch
        {
            ElementType.Bool => OrtValue.CreateTensorValueFromMemory(Fill(count, static _ => true), dims),
            ElementType.Float when IsMask(input) => Floats(count, dims, static _ => 1),
            ElementType.Float => Floats(count, dims, _ => (float)(random.NextDouble() - 0.5)),
            ElementType.Int64 => OrtValue.CreateTensorValueFromMemory(Fill(count, i => Integer(input, i)), dims),
            ElementType.Int32 => OrtValue.CreateTensorValueFromMemory(Fill(count, i => (int)Integer(input, i)), dims),
            _ => throw new NotSupportedException($"{input}"),
        };

        long Integer(Value value, int index) => value.Name switch
        {
            _ when IsMask(value) => 1,
            "position_ids" => sizes.Past + (index % sizes.Sequence),
            _ => random.Next(SmallestVocabulary),
        };
    }

    private static bool IsMask(Value input) => input.Name.Contains("mask", StringComparison.Ordinal);

    private static OrtValue Floats(int count, long[] dims, Func<int, float> element) =>
        OrtValue.CreateTensorValueFromMemory(Fill(count, element), dims);

    private static T[] Fill<T>(int count, Func<int, T> element) => [.. Enumerable.Range(0, count).Select(element)];
}
