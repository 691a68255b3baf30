using Microsoft.ML.OnnxRuntime;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Runtime.Memory;

/// <summary>Copies values between the machine's memory and a device's, by graphs that do nothing: bindings copy where the
/// two sides differ.</summary>
/// <param name="options">How to run them.</param>
/// <param name="memory">The device's memory.</param>
internal sealed class DeviceCopies(RuntimeOptions options, OrtMemoryInfo memory) : IDisposable
{
    private readonly Dictionary<ElementType, GraphSession> _sessions = [];
    private readonly RunOptions _runOptions = new();

    /// <summary>Copies a value to the device.</summary>
    /// <param name="type">Its element type.</param>
    /// <param name="host">The value.</param>
    /// <returns>The copy.</returns>
    /// <exception cref="SessionException">ONNX Runtime failed.</exception>
    public OrtValue Send(ElementType type, OrtValue host)
    {
        var graph = Of(type);
        using var binding = graph.Session.CreateIoBinding();
        var output = graph.Contract.Outputs[0].Name;
        binding.BindInput(graph.Contract.Inputs[0].Name, host);
        binding.BindOutputToDevice(output, memory);
        graph.Run(() => graph.Session.RunWithBinding(_runOptions, binding));
        return binding.Take([output])[0];
    }

    /// <summary>Copies a value of the device into one of the machine.</summary>
    /// <param name="type">Their element type.</param>
    /// <param name="device">The value.</param>
    /// <param name="host">Where to; of the same axes.</param>
    /// <exception cref="SessionException">ONNX Runtime failed.</exception>
    public void Fetch(ElementType type, OrtValue device, OrtValue host)
    {
        var graph = Of(type);
        using var binding = graph.Session.CreateIoBinding();
        binding.BindInput(graph.Contract.Inputs[0].Name, device);
        binding.BindOutput(graph.Contract.Outputs[0].Name, host);
        graph.Run(() => graph.Session.RunWithBinding(_runOptions, binding));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _runOptions.Dispose();
        foreach (var session in _sessions.Values)
            session.Dispose();
    }

    private GraphSession Of(ElementType type)
    {
        if (!_sessions.TryGetValue(type, out var graph))
            _sessions.Add(type, graph = ModelGraphs.OpenCopy(type, options));
        return graph;
    }
}
