using System.Diagnostics.CodeAnalysis;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Tensors;
using OrtPeft.Training.Runtime.Memory;

namespace OrtPeft.Training.Runtime;

/// <summary>Runs an optimiser. Parameters, gradients and states are bound by an
/// <see cref="IStepMemory"/>.</summary>
internal sealed class OptimizerSession : IDisposable
{
    private readonly GraphSession _graph;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _runOptions;
    private readonly float[] _learningRate = new float[1];
    private readonly long[] _step = new long[1];
    private readonly float[] _gradNorm = new float[1];
    private readonly OrtValue[] _scalars = [];

    /// <summary>Takes a session over, and closes it if this fails.</summary>
    /// <param name="graph">The session.</param>
    /// <param name="parameters">The parameters at first, which some states are too.</param>
    public OptimizerSession(GraphSession graph, NativeVector parameters)
    {
        _graph = graph;
        try
        {
            States = [.. StatesOf(graph).Select(value => StateOf(value, parameters))];
            _runOptions = new RunOptions();
            _binding = graph.Session.CreateIoBinding();
            _scalars = [TensorValues.Over(_learningRate), TensorValues.Over(_step), TensorValues.Over(_gradNorm)];
            BindInput(ValueRoles.LearningRate, _scalars[0]);
            BindInput(ValueRoles.Step, _scalars[1]);
            BindOutput(ValueRoles.GradNorm, _scalars[2]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The states that it moves beside the parameters.</summary>
    public IReadOnlyList<OptimizerState> States { get; } = [];

    /// <summary>The parameters that are evaluated and saved where they are not those that train; else null.</summary>
    public NativeVector? Averages => States.FirstOrDefault(static s => s.Role == ValueRoles.Averages)?.Vector;

    /// <summary>Whether parameters have rates of their own.</summary>
    public bool TakesFactors => _graph.Contract.Input(ValueRoles.LearningRateFactors) is not null;

    /// <summary>Binds the input of a role for all runs.</summary>
    public void BindInput(string role, OrtValue value)
    {
        var name = _graph.InputOf(role);
        _graph.Bind(() => _binding.BindInput(name, value));
    }

    /// <summary>Binds the output of a role for all runs.</summary>
    public void BindOutput(string role, OrtValue value)
    {
        var name = _graph.OutputOf(role);
        _graph.Bind(() => _binding.BindOutput(name, value));
    }

    /// <summary>Lets the next run write the output of a role into a value's spare buffer on a device, or make
    /// that.</summary>
    public void BindSpare(string role, TurningValue value, OrtMemoryInfo memory)
    {
        var name = _graph.OutputOf(role);
        _graph.Bind(() => _binding.BindSpare(name, value, memory));
    }

    /// <summary>Handles, which are the caller's, of what the last run gave for some roles.</summary>
    public OrtValue[] Take(IReadOnlyList<string> roles) => _binding.Take([.. roles.Select(_graph.OutputOf)]);

    /// <summary>Updates the parameters.</summary>
    /// <param name="step">The step's number, from 1.</param>
    /// <param name="learningRate">The rate of this step.</param>
    /// <returns>The gradients' norm before clipping.</returns>
    public double Run(int step, double learningRate)
    {
        (_step[0], _learningRate[0]) = (step, (float)learningRate);
        if (!_graph.ReadsHostMemory)
        {
            BindInput(ValueRoles.LearningRate, _scalars[0]);
            BindInput(ValueRoles.Step, _scalars[1]);
        }

        _graph.Run(() => _graph.Session.RunWithBinding(_runOptions, _binding));
        return _gradNorm[0];
    }

    /// <summary>Fields that a failed constructor did not set are null here.</summary>
    public void Dispose()
    {
        _binding?.Dispose();
        _runOptions?.Dispose();
        _graph.Dispose();
        foreach (var scalar in _scalars)
            scalar.Dispose();
        foreach (var state in States)
            state.Vector.Dispose();
    }

    /// <summary>The inputs that an output replaces, but for the parameters.</summary>
    /// <exception cref="OnnxFormatException">An input has no description.</exception>
    private static IEnumerable<ArtifactValue> StatesOf(GraphSession graph)
    {
        var described = graph.Contract.Inputs.Select(static i => i.Name);
        if (graph.Session.InputNames.Except(described).FirstOrDefault() is { } unknown)
            throw new OnnxFormatException($"The optimiser's input '{unknown}' is not described; write its model again.");
        return graph.Contract.States;
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The state is disposed with the session.")]
    private static OptimizerState StateOf(ArtifactValue value, NativeVector parameters)
    {
        var dims = value.Dims?.Select(static d => d.Length).ToArray() ?? [null];
        if (dims.Any(static d => d is null or < 0))
            throw new OnnxFormatException($"The optimiser's input '{value.Name}' has no length; write its model again.");
        var lengths = dims.Select(static d => d!.Value).ToArray();
        var vector = new NativeVector(
            lengths.Aggregate(1L, static (product, dim) => checked(product * dim)), value.Dtype ?? ElementType.Float);
        if (ValueRoles.IsParametersAtFirst(value.Role))
            parameters.Span(0, parameters.Count).CopyTo(vector.Span(0, vector.Count));
        if (value.Role == ValueRoles.GradientScale)
            vector.Span(0, 1)[0] = LossScaling.Initial;
        return new OptimizerState(
            value.Role, vector, lengths, vector.Type == ElementType.Float && lengths.SequenceEqual([parameters.Count]));
    }
}
