using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Tests.Corpus;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

/// <summary>Runs a model before and after a pass and compares what ONNX Runtime makes of it.</summary>
internal static class SameResults
{
    public static void Check(Model model, Action<Model> pass, Dictionary<string, OrtValue> inputs, float tolerance = 0)
    {
        var expected = Run.Of(OnnxFile.ToBytes(model), inputs, optimise: false);

        pass(model);

        GraphValidator.Check(model.Graph);
        var names = model.Graph.Inputs.Select(static i => i.Name).ToHashSet();
        var left = inputs.Where(p => names.Contains(p.Key)).ToDictionary(static p => p.Key, static p => p.Value);
        Check(expected, Run.Of(OnnxFile.ToBytes(model), left, optimise: false), tolerance);
    }

    private static void Check(
        Dictionary<string, Run.Result> expected, Dictionary<string, Run.Result> actual, float tolerance)
    {
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach (var (name, result) in expected)
            Near(result, actual[name], tolerance);
    }

    /// <summary>Equal types and shapes; floats within a distance, everything else bit by bit.</summary>
    public static void Near(Run.Result expected, Run.Result actual, float tolerance)
    {
        Assert.Equal(expected.Type, actual.Type);
        Assert.Equal(expected.Dims, actual.Dims);
        if (expected.Type != ElementType.Float)
            Assert.Equal(expected.Bytes, actual.Bytes);
        else
            Assert.Equal(0, LargestDifference(expected.Bytes, actual.Bytes), tolerance);
    }

    private static float LargestDifference(byte[] expected, byte[] actual)
    {
        var largest = 0f;
        var numbers = MemoryMarshal.Cast<byte, float>(expected).ToArray();
        foreach (var (e, a) in numbers.Zip(MemoryMarshal.Cast<byte, float>(actual).ToArray()))
            largest = e.Equals(a) ? largest : MathF.Max(largest, MathF.Abs(e - a));
        return largest;
    }
}
