using Microsoft.ML.OnnxRuntime;
using OrtPeft.Artifacts;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Training.Data;
using OrtPeft.Training.Runtime.Memory;

namespace OrtPeft.Training.Runtime;

/// <summary>
/// Runs a training or an evaluation graph. What is bound to inputs stays bound, and a run binds only its batch; on a device,
/// which gets copies of what is in the machine's memory, it binds the rest again, as it is then.
/// </summary>
internal sealed class LossSession : IDisposable
{
    private readonly GraphSession _graph;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _runOptions;
    private readonly ArtifactValue[] _ofBatch;
    private readonly Dictionary<string, OrtValue> _bound = new(StringComparer.Ordinal);
    private readonly float[] _sum = new float[1];
    private readonly long[] _count = new long[1];
    private readonly OrtValue? _sumValue;
    private readonly OrtValue? _countValue;

    /// <summary>Takes a session over, and closes it if this fails.</summary>
    public LossSession(GraphSession graph)
    {
        _graph = graph;
        _ofBatch = [.. graph.Contract.Inputs.Where(static v => v.Role is ValueRoles.Data or ValueRoles.EmptyPast)];
        try
        {
            Axes = FixedAxes.Of(_ofBatch);
            _runOptions = new RunOptions();
            _binding = graph.Session.CreateIoBinding();
            BindOutput(graph.OutputOf(ValueRoles.LossSum), _sumValue = TensorValues.Over(_sum));
            BindOutput(graph.OutputOf(ValueRoles.LossCount), _countValue = TensorValues.Over(_count));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Binds the input of a role for all runs, if the graph has one.</summary>
    public void BindRole(string role, OrtValue value)
    {
        if (_graph.Contract.Input(role) is { } input)
            BindInput(input.Name, value);
    }

    /// <summary>Binds an input for all runs; its memory may change between them.</summary>
    public void BindInput(string name, OrtValue value)
    {
        _bound[name] = value;
        _graph.Bind(() => _binding.BindInput(name, value));
    }

    /// <summary>Lets the next run write the output of a role into a value's spare buffer on a device, or make
    /// that.</summary>
    public void BindSpare(string role, TurningValue value, OrtMemoryInfo memory)
    {
        var name = _graph.OutputOf(role);
        _graph.Bind(() => _binding.BindSpare(name, value, memory));
    }

    /// <summary>A handle, which is the caller's, of what the last run gave for a role.</summary>
    public OrtValue Take(string role) => _binding.Take([_graph.OutputOf(role)])[0];

    /// <summary>Binds an output for all runs.</summary>
    public void BindOutput(string name, OrtValue value) => _graph.Bind(() => _binding.BindOutput(name, value));

    /// <summary>How many positions the model has before the first token of its input; 0 when left out.</summary>
    public int VirtualTokens { get; init; }

    /// <summary>The sizes that the graph takes at a time.</summary>
    public FixedAxes Axes { get; }

    /// <summary>Measures a batch, in parts where the graph takes no more at a time.</summary>
    /// <returns>The sum of the losses and the number of elements it counts.</returns>
    /// <exception cref="SessionException">ONNX Runtime failed.</exception>
    public (double Sum, long Count) Run(Batch batch)
    {
        var (sum, count) = (0.0, 0L);
        foreach (var part in Axes.Split(batch, VirtualTokens))
        {
            var (partSum, partCount) = RunPart(part);
            (sum, count) = (sum + partSum, count + partCount);
        }

        return (sum, count);
    }

    /// <summary>Runs a batch that the graph takes as it is; what is bound to its gradients is then this
    /// batch's.</summary>
    /// <returns>As <see cref="Run"/>.</returns>
    /// <exception cref="SessionException">ONNX Runtime failed.</exception>
    public (double Sum, long Count) RunPart(Batch batch)
    {
        using var feeds = new Feeds(_ofBatch, batch);
        _graph.Bind(() =>
        {
            feeds.BindTo(_binding);
            if (_graph.ReadsHostMemory)
                return;
            foreach (var (name, value) in _bound)
                _binding.BindInput(name, value);
        });
        _graph.Run(() => _graph.Session.RunWithBinding(_runOptions, _binding));
        return (_sum[0], _count[0]);
    }

    /// <summary>Fields that a failed constructor did not set are null here.</summary>
    public void Dispose()
    {
        _binding?.Dispose();
        _runOptions?.Dispose();
        _graph.Dispose();
        _sumValue?.Dispose();
        _countValue?.Dispose();
    }
}
