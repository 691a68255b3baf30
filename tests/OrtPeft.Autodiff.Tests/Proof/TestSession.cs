using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Autodiff.Tests.Proof;

/// <summary>An ONNX Runtime session whose fed arrays can be changed in place between runs.</summary>
internal sealed class TestSession : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly Dictionary<string, OrtValue> _feeds = [];

    public TestSession(
        Model model, GraphOptimizationLevel optimization = GraphOptimizationLevel.ORT_DISABLE_ALL)
    {
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = optimization,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
        };
        _session = new InferenceSession(OnnxFile.ToBytes(model), options);
    }

    /// <summary>Feeds an array; changes of its elements take effect in the next run.</summary>
    public void Feed<T>(string name, T[] elements, params long[] dims)
        where T : unmanaged
    {
        if (_feeds.Remove(name, out var old))
            old.Dispose();
        _feeds[name] = elements.Length > 0
            ? OrtValue.CreateTensorValueFromMemory(elements, dims)
            : OrtValue.CreateAllocatedTensorValue(
                OrtAllocator.DefaultInstance, (TensorElementType)(int)OrtPeft.Tensors.Tensor.ElementTypeOf<T>(), dims);
    }

    /// <summary>Runs and copies one output.</summary>
    public T[] Run<T>(string output)
        where T : unmanaged => Run<T>([output])[0].Elements;

    /// <summary>Runs and copies outputs of one type.</summary>
    public IReadOnlyList<(T[] Elements, long[] Dims)> Run<T>(IReadOnlyCollection<string> outputs)
        where T : unmanaged
    {
        using var results = _session.Run(_run, _feeds, outputs);
        return [.. results.Select(static r => (r.GetTensorDataAsSpan<T>().ToArray(), r.GetTensorTypeAndShape().Shape))];
    }

    public void Dispose()
    {
        foreach (var feed in _feeds.Values)
            feed.Dispose();
        _run.Dispose();
        _session.Dispose();
    }
}
