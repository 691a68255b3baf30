using Microsoft.ML.OnnxRuntime;
using OrtPeft.Artifacts;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Runtime;

/// <summary>
/// Runs an optimiser on the flat vectors, in place: each result is bound to the memory of the input that it replaces. That is
/// safe because the graph works element by element and nothing reads an old value after its new one is written.
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
            States = [.. StatesOf(graph).Select(role => (role, new NativeVector(parameters.Count)))];
            _runOptions = new RunOptions();
            _binding = graph.Session.CreateIoBinding();
            _scalars = [TensorValues.Over(_learningRate), TensorValues.Over(_step), TensorValues.Over(_gradNorm)];
            InPlace(ValueRoles.Parameters, parameters);
            foreach (var (role, vector) in States)
                InPlace(role, vector);
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

    /// <summary>The vectors that it moves beside the parameters, by role, zeros at first.</summary>
    public IReadOnlyList<(string Role, NativeVector Vector)> States { get; } = [];

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
        foreach (var (_, vector) in States)
            vector.Dispose();
    }

    /// <summary>The inputs that an output replaces, but for the parameters.</summary>
    /// <exception cref="OnnxFormatException">An input has no description.</exception>
    private static IEnumerable<string> StatesOf(GraphSession graph)
    {
        var described = graph.Contract.Inputs.Select(static i => i.Name);
        if (graph.Session.InputNames.Except(described).FirstOrDefault() is { } unknown)
            throw new OnnxFormatException($"The optimiser's input '{unknown}' is not described; write its model again.");
        return graph.Contract.Inputs.Select(static i => i.Role).Where(
            role => role != ValueRoles.Parameters && graph.Contract.Output(ValueRoles.Updated(role)) is not null);
    }

    private void InPlace(string role, NativeVector vector)
    {
        Input(role, vector.View(0, [vector.Count]));
        Output(ValueRoles.Updated(role), vector.View(0, [vector.Count]));
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
