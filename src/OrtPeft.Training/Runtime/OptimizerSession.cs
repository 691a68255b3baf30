using System.Diagnostics.CodeAnalysis;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Artifacts;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Runtime;

/// <summary>
/// Runs an optimiser on the flat vectors, in place: each result is bound to the memory of the input that it replaces. That is
/// safe because every node that makes a result comes after all that read the value it replaces.
/// </summary>
internal sealed class OptimizerSession : IDisposable
{
    private readonly GraphSession _graph;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _runOptions;
    private readonly float[] _learningRate = new float[1];
    private readonly long[] _step = new long[1];
    private readonly float[] _gradNorm = new float[1];
    private readonly OrtValue[] _scalars = [];

    /// <summary>Takes a session over, and closes it if this fails; the vectors stay the caller's.</summary>
    public OptimizerSession(GraphSession graph, NativeVector parameters, NativeVector gradients)
    {
        _graph = graph;
        try
        {
            States = [.. StatesOf(graph).Select(value => StateOf(value, parameters))];
            _runOptions = new RunOptions();
            _binding = graph.Session.CreateIoBinding();
            _scalars = [TensorValues.Over(_learningRate), TensorValues.Over(_step), TensorValues.Over(_gradNorm)];
            InPlace(ValueRoles.Parameters, parameters, parameters.Count);
            foreach (var state in States)
                InPlace(state.Role, state.Vector, state.Dims);
            Input(ValueRoles.Gradients, gradients.View(0, [gradients.Count]));
            Input(ValueRoles.LearningRate, _scalars[0]);
            Input(ValueRoles.Step, _scalars[1]);
            Output(ValueRoles.GradNorm, _scalars[2]);
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

    /// <summary>Binds what multiplies each element's rate.</summary>
    public void BindFactors(NativeVector factors) =>
        Input(ValueRoles.LearningRateFactors, factors.View(0, [factors.Count]));

    /// <summary>Updates the parameters.</summary>
    /// <param name="step">The step's number, from 1.</param>
    /// <param name="learningRate">The rate of this step.</param>
    /// <returns>The gradients' norm before clipping.</returns>
    public double Run(int step, double learningRate)
    {
        (_step[0], _learningRate[0]) = (step, (float)learningRate);
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
        return new OptimizerState(
            value.Role, vector, lengths, vector.Type == ElementType.Float && lengths.SequenceEqual([parameters.Count]));
    }

    private void InPlace(string role, NativeVector vector, params long[] dims)
    {
        Input(role, vector.View(0, dims));
        Output(ValueRoles.Updated(role), vector.View(0, dims));
    }

    private void Input(string role, OrtValue value)
    {
        var name = _graph.InputOf(role);
        _graph.Bind(() => _binding.BindInput(name, value));
    }

    private void Output(string role, OrtValue value)
    {
        var name = _graph.OutputOf(role);
        _graph.Bind(() => _binding.BindOutput(name, value));
    }
}
