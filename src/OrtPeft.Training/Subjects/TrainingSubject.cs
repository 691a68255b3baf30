using OrtPeft.Artifacts;
using OrtPeft.Compilation.Memory;
using OrtPeft.Tensors;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Training.Subjects;

/// <summary>
/// The thing that a trainer trains: a model in memory, or a folder. The trainer knows neither, so that a program which
/// trains from a folder loads no code for graphs.
/// </summary>
/// <param name="runtime">Holds and moves the parameters; disposed with the subject.</param>
internal abstract class TrainingSubject(ITrainingRuntime runtime) : IDisposable
{
    /// <summary>Holds and moves the parameters.</summary>
    public ITrainingRuntime Runtime => runtime;

    /// <summary>How many positions the model has before the first token of its input.</summary>
    public abstract int VirtualTokens { get; }

    /// <summary>The optimiser's constants.</summary>
    public abstract OptimizerConfig Optimizer { get; }

    /// <summary>Whether dropout of the base's own graph is live.</summary>
    public abstract bool BaseDropout { get; }

    /// <summary>The fields of the adapters that a resumed run must share, with their values.</summary>
    public abstract IReadOnlyDictionary<string, string> Adapters { get; }

    /// <summary>The base and the initial weights that the run begins with, by the names in <see
    /// cref="RunIdentity"/>.</summary>
    public abstract IReadOnlyDictionary<string, string> Origin { get; }

    /// <summary>The memory that training takes; null where that is not known.</summary>
    public virtual MemoryPlan? Memory => null;

    /// <summary>The files of the base, which must not change while it is trained.</summary>
    public abstract IReadOnlyList<BaseFile> Files { get; }

    /// <summary>Describes a runtime, which is closed where that fails.</summary>
    /// <param name="runtime">The runtime; the result's from then on.</param>
    /// <param name="describe">Makes the result.</param>
    public static TrainingSubject Over(ITrainingRuntime runtime, Func<ITrainingRuntime, TrainingSubject> describe)
    {
        try
        {
            return describe(runtime);
        }
        catch
        {
            runtime.Dispose();
            throw;
        }
    }

    /// <summary>Takes trained weights, by parameter.</summary>
    public abstract void SetWeights(IReadOnlyDictionary<string, Tensor> weights);

    /// <summary>Writes an adapter folder with given weights.</summary>
    public abstract void Save(string folder, IReadOnlyDictionary<string, Tensor> weights);

    /// <inheritdoc/>
    public void Dispose() => runtime.Dispose();
}
