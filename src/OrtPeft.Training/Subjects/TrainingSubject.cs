using OrtPeft.Artifacts;
using OrtPeft.Tensors;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Training.Subjects;

/// <summary>
/// What a trainer trains: a model in memory, or a folder. The trainer knows neither, so that a program which trains
/// from a folder loads no code for graphs.
/// </summary>
internal sealed record TrainingSubject
{
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

    /// <summary>Holds and moves the parameters.</summary>
    public required ITrainingRuntime Runtime { get; init; }

    /// <summary>How many positions the model has before the first token of its input.</summary>
    public required int VirtualTokens { get; init; }

    /// <summary>The optimiser's constants.</summary>
    public required AdamWConfig Optimizer { get; init; }

    /// <summary>Whether dropout of the base's own graph is live.</summary>
    public required bool BaseDropout { get; init; }

    /// <summary>What a resumed run must share of the adapters, by field.</summary>
    public required IReadOnlyDictionary<string, string> Adapters { get; init; }

    /// <summary>What the run begins with: base and initial weights, by the names in <see
    /// cref="RunIdentity"/>.</summary>
    public required IReadOnlyDictionary<string, string> Origin { get; init; }

    /// <summary>The files of the base, which must not change while it is trained.</summary>
    public required IReadOnlyList<BaseFile> Files { get; init; }

    /// <summary>Takes trained weights, by parameter.</summary>
    public required Action<IReadOnlyDictionary<string, Tensor>> SetWeights { get; init; }

    /// <summary>Writes an adapter folder with given weights.</summary>
    public required Action<string, IReadOnlyDictionary<string, Tensor>> Save { get; init; }
}
