using OrtPeft.Artifacts;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Training.Runtime.Memory;

namespace OrtPeft.Training.Runtime;

/// <summary>Portable graphs to train with, wherever they come from: built in memory, or files of a folder.</summary>
/// <param name="parameters">What trains, each with its place in the flat vectors.</param>
/// <param name="flatLength">The length of the flat vectors.</param>
/// <param name="virtualTokens">How many positions the model has before the first token of its input.</param>
internal abstract class OrtGraphs(IReadOnlyList<ArtifactParameter> parameters, long flatLength, int virtualTokens)
{
    /// <summary>The trained parameters, each with its place in the flat vectors.</summary>
    public IReadOnlyList<ArtifactParameter> Parameters => parameters;

    /// <summary>The length of the flat vectors.</summary>
    public long FlatLength => flatLength;

    /// <summary>How many positions the model has before the first token of its input.</summary>
    public int VirtualTokens => virtualTokens;

    /// <summary>A parameter's first content.</summary>
    /// <param name="parameter">Its name.</param>
    public abstract Tensor InitialWeight(string parameter);

    /// <summary>Opens the graph of loss and gradients; the session is the caller's.</summary>
    public abstract GraphSession OpenTraining(RuntimeOptions options);

    /// <summary>Opens the graph of the loss alone; the session is the caller's.</summary>
    public abstract GraphSession OpenEvaluation(RuntimeOptions options);

    /// <summary>Opens the graph that counts right tokens; the session is the caller's.</summary>
    /// <exception cref="SettingException">There is no such graph.</exception>
    public virtual GraphSession OpenAccuracy(RuntimeOptions options) => throw NoAccuracy;

    /// <summary>The exception where right tokens cannot be counted.</summary>
    public static SettingException NoAccuracy =>
        new("MeasureTokenAccuracy needs the model's own graph, which a folder of artifacts does not have; leave it out.");

    /// <summary>Opens the graph that moves the parameters; the session is the caller's.</summary>
    public abstract GraphSession OpenOptimizer(RuntimeOptions options);

    /// <summary>Opens the optimiser, and the memory through which the graphs hand each other the parameters: on a device with
    /// one of its own, all that moves stays there.</summary>
    /// <returns>Both are the caller's.</returns>
    public (TrainedVectors Vectors, IStepMemory Memory) OpenVectors(RuntimeOptions options) =>
        options.DeviceMemory is { } memory
            ? OpenVectors(options, vectors => new DeviceMemory(vectors, options, memory))
            : OpenVectors(new RuntimeOptions { Threads = options.Threads }, static vectors => new HostMemory(vectors));

    /// <summary>Opens the optimiser, and a memory over its vectors.</summary>
    private (TrainedVectors Vectors, IStepMemory Memory) OpenVectors(
        RuntimeOptions options, Func<TrainedVectors, IStepMemory> memory)
    {
        var vectors = new TrainedVectors(this, options);
        try
        {
            return (vectors, memory(vectors));
        }
        catch
        {
            vectors.Dispose();
            throw;
        }
    }
}
