using OrtPeft.Artifacts;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Training.Runtime.Memory;

/// <summary>Parameters, gradients and the optimiser with its states, as flat vectors in the machine's memory.</summary>
internal sealed class TrainedVectors : IDisposable
{
    private readonly NativeVector? _factors;

    /// <summary>Takes the memory, reads the first weights and opens the optimiser.</summary>
    /// <param name="graphs">Where both come from.</param>
    /// <param name="options">How to run the optimiser.</param>
    public TrainedVectors(OrtGraphs graphs, RuntimeOptions options)
    {
        All = graphs.Parameters;
        try
        {
            Parameters = new NativeVector(graphs.FlatLength);
            Gradients = new NativeVector(graphs.FlatLength);
            foreach (var parameter in All)
                graphs.InitialWeight(parameter.Name).ToFloat32().CopyTo(Part(Parameters, parameter));
            Optimizer = new OptimizerSession(graphs.OpenOptimizer(options), Parameters);
            if (Optimizer.TakesFactors)
                Optimizer.BindInput(ValueRoles.LearningRateFactors, (_factors = Factors()).View());
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The trained parameters, each with its place in the vectors.</summary>
    public IReadOnlyList<ArtifactParameter> All { get; }

    /// <summary>The parameters that train.</summary>
    public NativeVector Parameters { get; }

    /// <summary>The gradient of a step's mean loss.</summary>
    public NativeVector Gradients { get; }

    /// <summary>The optimizer, which moves the parameters.</summary>
    public OptimizerSession Optimizer { get; }

    /// <summary>The factor of all gradients; null where losses are not scaled.</summary>
    public OptimizerState? GradientScale => Optimizer.States.FirstOrDefault(static s => s.Role == ValueRoles.GradientScale);

    /// <summary>The parameters that are evaluated and saved.</summary>
    public NativeVector Evaluated => Optimizer.Averages ?? Parameters;

    /// <summary>A parameter's part of a vector.</summary>
    public static Span<float> Part(NativeVector vector, ArtifactParameter parameter) =>
        vector.Span(parameter.Offset!.Value, parameter.Count);

    /// <summary>Fields that a failed constructor did not set are null here.</summary>
    public void Dispose()
    {
        Optimizer?.Dispose();
        Parameters?.Dispose();
        Gradients?.Dispose();
        _factors?.Dispose();
    }

    /// <summary>The factors on each element's learning rate.</summary>
    private NativeVector Factors()
    {
        var factors = new NativeVector(Parameters.Count);
        foreach (var parameter in All)
            Part(factors, parameter).Fill((float)parameter.LearningRateFactor);
        return factors;
    }
}
