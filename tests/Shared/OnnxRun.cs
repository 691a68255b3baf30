using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors.Storage;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Testing;

/// <summary>Runs a model once with ONNX Runtime.</summary>
internal static class OnnxRun
{
    /// <summary>Feeds what the model asks for, and returns all outputs.</summary>
    public static Dictionary<string, Tensor> Of(Model model, IReadOnlyDictionary<string, Tensor> feeds)
    {
        using var session = ModelSession.Open(model, new RuntimeOptions { Threads = 1 });
        return Of(session, feeds);
    }

    /// <summary>Runs an open session once more.</summary>
    public static Dictionary<string, Tensor> Of(ModelSession opened, IReadOnlyDictionary<string, Tensor> feeds) =>
        Of(opened.Session, feeds);

    /// <summary>Runs an open session of ONNX Runtime's own once more.</summary>
    public static Dictionary<string, Tensor> Of(InferenceSession session, IReadOnlyDictionary<string, Tensor> feeds)
    {
        using var options = new RunOptions();
        var pins = session.InputNames.Select(name => feeds[name].Data.Pin()).ToArray();
        var inputs = session.InputNames.Zip(pins, (name, pin) => Over(pin, feeds[name])).ToArray();
        using var results = session.Run(options, session.InputNames, inputs, session.OutputNames);
        var outputs = session.OutputNames.Zip(results, static (name, value) => (name, Tensor: ToTensor(value)))
            .ToDictionary(static o => o.name, static o => o.Tensor);
        foreach (var owned in inputs.Cast<IDisposable>().Concat(pins))
            owned.Dispose();
        return outputs;
    }

    private static OrtValue Over(PinnedBytes pin, Tensor tensor) =>
        TensorValues.Over(pin, tensor.Type, [.. tensor.Dims]);

    private static Tensor ToTensor(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        return info.ElementDataType switch
        {
            TensorElementType.Int64 => Tensor.Of(value.GetTensorDataAsSpan<long>(), info.Shape),
            TensorElementType.UInt8 => Tensor.Of(value.GetTensorDataAsSpan<byte>(), info.Shape),
            TensorElementType.Double => Tensor.Of(value.GetTensorDataAsSpan<double>(), info.Shape),
            _ => Tensor.Of(value.GetTensorDataAsSpan<float>(), info.Shape),
        };
    }
}
