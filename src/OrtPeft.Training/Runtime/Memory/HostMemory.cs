using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Artifacts;
using OrtPeft.Training.Distributed;

namespace OrtPeft.Training.Runtime.Memory;

/// <summary>
/// Graphs read and write the vectors themselves, through views of their parts. The optimiser works in place: each result is
/// bound to the memory of the input that it replaces. That is safe because every node that makes a result comes after all
/// that read the value it replaces.
/// </summary>
internal sealed class HostMemory : IStepMemory
{
    private readonly TrainedVectors _vectors;
    private readonly OrtValue[] _intoGradients;
    private OrtValue[]? _intoPartial;
    private NativeVector? _partial;

    /// <summary>Binds the optimiser to the vectors, which stay the caller's.</summary>
    public HostMemory(TrainedVectors vectors)
    {
        _vectors = vectors;
        InPlace(ValueRoles.Parameters, vectors.Parameters, [vectors.Parameters.Count]);
        foreach (var state in vectors.Optimizer.States)
            InPlace(state.Role, state.Vector, state.Dims);
        vectors.Optimizer.BindInput(ValueRoles.Gradients, vectors.Gradients.View());
        _intoGradients = Views(vectors.Gradients);
    }

    /// <inheritdoc/>
    public void Feed(LossSession session, bool evaluated)
    {
        foreach (var (parameter, view) in _vectors.All.Zip(Views(evaluated ? _vectors.Evaluated : _vectors.Parameters)))
            session.BindInput(parameter.Input, view);
        if (_vectors.GradientScale is { } scale)
            session.BindRole(scale.Role, scale.Vector.View(0, scale.Dims));
    }

    /// <summary>Bound for every run: what an earlier step's last part left would catch this step's gradient.</summary>
    public void BeforePart(LossSession training, int part)
    {
        var views = part == 0
            ? _intoGradients
            : _intoPartial ??= Views(_partial = new NativeVector(_vectors.Gradients.Count));
        foreach (var (parameter, view) in _vectors.All.Zip(views))
            training.BindOutput(parameter.Gradient!, view);
    }

    /// <inheritdoc/>
    public void AfterPart(LossSession training, int part)
    {
        foreach (var parameter in part == 0 ? [] : _vectors.All)
        {
            var sum = TrainedVectors.Part(_vectors.Gradients, parameter);
            TensorPrimitives.Add(sum, TrainedVectors.Part(_partial!, parameter), sum);
        }
    }

    /// <inheritdoc/>
    public void ClearGradients() => _vectors.Gradients.Bytes.Clear();

    /// <inheritdoc/>
    public void SumGradients(ProcessGroup processes) => processes.Sum(_vectors.Gradients);

    /// <inheritdoc/>
    public double Move(int step, double learningRate) => _vectors.Optimizer.Run(step, learningRate);

    /// <inheritdoc/>
    public void Fetch()
    {
    }

    /// <inheritdoc/>
    public void Send()
    {
    }

    /// <inheritdoc/>
    public void Dispose() => _partial?.Dispose();

    private void InPlace(string role, NativeVector vector, long[] dims)
    {
        _vectors.Optimizer.BindInput(role, vector.View(0, dims));
        _vectors.Optimizer.BindOutput(ValueRoles.Updated(role), vector.View(0, dims));
    }

    private OrtValue[] Views(NativeVector vector) =>
        [.. _vectors.All.Select(p => vector.View(p.Offset!.Value, [.. p.Dims]))];
}
