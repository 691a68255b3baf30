using Microsoft.ML.OnnxRuntime;
using OrtPeft.Artifacts;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Training.Distributed;

namespace OrtPeft.Training.Runtime.Memory;

/// <summary>
/// Parameters, gradients and states stay on the device from step to step, each as one flat value that the graphs read and
/// replace: only a batch and a few numbers go there, and the loss and the gradients' norm come back.
/// </summary>
internal sealed class DeviceMemory : IStepMemory
{
    private readonly TrainedVectors _vectors;
    private readonly OrtMemoryInfo _memory;
    private readonly DeviceCopies _copies;
    private readonly Resident[] _moved;
    private readonly Resident _gradients;
    private readonly List<(LossSession Session, string Role, Resident Fed)> _fed = [];
    private readonly bool[] _anew = new bool[1];
    private readonly OrtValue _anewValue;

    /// <summary>Copies the vectors, which stay the caller's, to the device.</summary>
    /// <param name="vectors">The vectors.</param>
    /// <param name="options">How to run the graphs that copy.</param>
    /// <param name="memory">ONNX Runtime's name of the device's memory.</param>
    public DeviceMemory(TrainedVectors vectors, RuntimeOptions options, string memory)
    {
        _vectors = vectors;
        _memory = new OrtMemoryInfo(memory, OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default);
        _copies = new DeviceCopies(options, _memory);
        _anewValue = TensorValues.Over(_anew, 1);
        _gradients = new Resident(ValueRoles.Gradients, vectors.Gradients, [vectors.Gradients.Count]);
        var parameters = new OptimizerState(
            ValueRoles.Parameters, vectors.Parameters, [vectors.Parameters.Count], IsLaidOut: true);
        _moved = [.. vectors.Optimizer.States.Prepend(parameters).Select(static s => new Resident(s.Role, s.Vector, s.Dims))];
        try
        {
            Send();
            ClearGradients();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Feed(LossSession session, bool evaluated)
    {
        var fed = (evaluated ? _moved.FirstOrDefault(static m => m.Role == ValueRoles.Averages) : null) ?? _moved[0];
        _fed.Add((session, ValueRoles.Parameters, fed));
        if (_moved.FirstOrDefault(static m => m.Role == ValueRoles.GradientScale) is { } scale)
            _fed.Add((session, scale.Role, scale));
        FeedAgain();
        session.BindRole(ValueRoles.LazyResetGrad, _anewValue);
    }

    /// <inheritdoc/>
    public void BeforePart(LossSession training, int part)
    {
        _anew[0] = part == 0;
        training.BindRole(ValueRoles.Gradients, _gradients.Value.Current);
        training.BindSpare(ValueRoles.Updated(ValueRoles.Gradients), _gradients.Value, _memory);
    }

    /// <inheritdoc/>
    public void AfterPart(LossSession training, int part) =>
        _gradients.Value.Turn(training.Take(ValueRoles.Updated(ValueRoles.Gradients)));

    /// <inheritdoc/>
    public void ClearGradients()
    {
        _vectors.Gradients.Bytes.Clear();
        Send(_gradients);
    }

    /// <inheritdoc/>
    public void SumGradients(ProcessGroup processes)
    {
        if (processes.Size == 1)
            return;
        _copies.Fetch(ElementType.Float, _gradients.Value.Current, _gradients.Host);
        processes.Sum(_vectors.Gradients);
        Send(_gradients);
    }

    /// <inheritdoc/>
    public double Move(int step, double learningRate)
    {
        var optimizer = _vectors.Optimizer;
        optimizer.BindInput(ValueRoles.Gradients, _gradients.Value.Current);
        foreach (var moved in _moved)
        {
            optimizer.BindInput(moved.Role, moved.Value.Current);
            optimizer.BindSpare(ValueRoles.Updated(moved.Role), moved.Value, _memory);
        }

        var norm = optimizer.Run(step, learningRate);
        foreach (var (moved, made) in _moved.Zip(optimizer.Take([.. _moved.Select(static m => ValueRoles.Updated(m.Role))])))
            moved.Value.Turn(made);
        FeedAgain();
        return norm;
    }

    /// <inheritdoc/>
    public void Fetch()
    {
        foreach (var moved in _moved)
            _copies.Fetch(moved.Vector.Type, moved.Value.Current, moved.Host);
    }

    /// <inheritdoc/>
    public void Send()
    {
        foreach (var moved in _moved)
            Send(moved);
        FeedAgain();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var resident in _moved)
            resident.Dispose();
        _gradients.Dispose();
        _anewValue.Dispose();
        _copies.Dispose();
        _memory.Dispose();
    }

    private void Send(Resident resident) => resident.Take(_copies.Send(resident.Vector.Type, resident.Host));

    private void FeedAgain()
    {
        foreach (var (session, role, fed) in _fed)
            session.BindRole(role, fed.Value.Current);
    }

    /// <summary>A vector and its copy on the device.</summary>
    private sealed class Resident(string role, NativeVector vector, long[] dims) : IDisposable
    {
        private TurningValue? _value;

        public string Role => role;

        public NativeVector Vector => vector;

        public OrtValue Host { get; } = vector.View(0, dims);

        public TurningValue Value => _value!;

        public void Take(OrtValue sent)
        {
            if (_value is null)
                _value = new TurningValue(sent);
            else
                _value.Current = sent;
        }

        /// <summary>A value that was never sent is null.</summary>
        public void Dispose() => _value?.Dispose();
    }
}
