using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Models.Tests;

/// <summary>Runs a model with ONNX Runtime on tensors.</summary>
internal sealed class OnnxSession : IDisposable
{
    private readonly InferenceSession _session;

    public OnnxSession(string path) => _session = new InferenceSession(path);

    public OnnxSession(Model model) => _session = new InferenceSession(OnnxFile.ToBytes(model));

    public IEnumerable<string> Inputs => _session.InputMetadata.Keys;

    /// <summary>The inputs' axes; −1 where any length goes.</summary>
    public Dictionary<string, int[]> Shapes =>
        _session.InputMetadata.ToDictionary(static input => input.Key, static input => input.Value.Dimensions);

    public void Dispose() => _session.Dispose();

    public Dictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs, params string[] outputs)
    {
        using var options = new RunOptions();
        var names = _session.InputNames;
        var values = names.Select(name => Value(inputs[name])).ToArray();
        using var results = _session.Run(options, names, values, outputs);
        foreach (var value in values)
            value.Dispose();
        return outputs.Zip(results).ToDictionary(
            static pair => pair.First,
            static pair => Tensor.Of<float>(
                pair.Second.GetTensorDataAsSpan<float>(), pair.Second.GetTensorTypeAndShape().Shape));
    }

    private static OrtValue Value(Tensor tensor)
    {
        var type = tensor.Type == ElementType.Int64 ? TensorElementType.Int64 : TensorElementType.Float;
        var value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, [.. tensor.Dims]);
        var bytes = tensor.Data.Slice(0, (int)tensor.Data.Length);
        if (tensor.Count == 0)
            return value;
        if (type == TensorElementType.Int64)
            MemoryMarshal.Cast<byte, long>(bytes).CopyTo(value.GetTensorMutableDataAsSpan<long>());
        else
            MemoryMarshal.Cast<byte, float>(bytes).CopyTo(value.GetTensorMutableDataAsSpan<float>());
        return value;
    }
}
