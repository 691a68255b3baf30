using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters.Artifacts;
using OrtPeft.Artifacts;
using OrtPeft.Inference.Sessions;

namespace OrtPeft.Training.Runtime;

/// <summary>
/// Runs AdamW on the flat vectors, in place: each result is bound to the memory of the input that it replaces. That is
/// safe
/// because the graph works element by element and nothing reads an old value after its new one is written.
/// </summary>
internal sealed class OptimizerSession : IDisposable
{
    private readonly ModelSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _runOptions = new();
    private readonly float[] _learningRate = new float[1];
    private readonly long[] _step = new long[1];
    private readonly float[] _gradNorm = new float[1];
    private readonly OrtValue[] _scalars;

    public OptimizerSession(
        FlatVector parameters,
        FlatVector gradients,
        FlatVector m,
        FlatVector v,
        FlatVector? learningRateFactors,
        AdamWConfig config,
        int threads)
    {
        var graph = OptimizerGraph.Build(parameters.Count, config, learningRateFactors is not null);
        _session = ModelSession.Open(graph, new RuntimeOptions { Threads = threads });
        _binding = _session.Session.CreateIoBinding();
        _scalars = [TensorValues.Over(_learningRate), TensorValues.Over(_step), TensorValues.Over(_gradNorm)];
        InPlace(OptimizerGraph.Parameters, parameters);
        InPlace(OptimizerGraph.FirstMoments, m);
        InPlace(OptimizerGraph.SecondMoments, v);
        _binding.BindInput(OptimizerGraph.Gradients, gradients.View(0, [gradients.Count]));
        if (learningRateFactors is { } factors)
            _binding.BindInput(OptimizerGraph.LearningRateFactors, factors.View(0, [factors.Count]));
        _binding.BindInput(OptimizerGraph.LearningRate, _scalars[0]);
        _binding.BindInput(OptimizerGraph.Step, _scalars[1]);
        _binding.BindOutput(OptimizerGraph.GradNorm, _scalars[2]);
    }

    /// <summary>Updates the parameters.</summary>
    /// <param name="step">The step's number, from 1.</param>
    /// <param name="learningRate">The rate of this step.</param>
    /// <returns>The gradients' norm before clipping.</returns>
    public double Run(int step, double learningRate)
    {
        (_step[0], _learningRate[0]) = (step, (float)learningRate);
        _session.Session.RunWithBinding(_runOptions, _binding);
        return _gradNorm[0];
    }

    public void Dispose()
    {
        _binding.Dispose();
        _runOptions.Dispose();
        _session.Dispose();
        foreach (var scalar in _scalars)
            scalar.Dispose();
    }

    private void InPlace(string name, FlatVector vector)
    {
        _binding.BindInput(name, vector.View(0, [vector.Count]));
        _binding.BindOutput(OptimizerGraph.Updated(name), vector.View(0, [vector.Count]));
    }
}
