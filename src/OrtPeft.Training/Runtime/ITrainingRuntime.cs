using OrtPeft.Tensors;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Runtime;

/// <summary>
/// The holder of the parameters, which moves them. The trainer decides what is learned from when and at what rate, and
/// knows nothing of how. Not thread-safe.
/// </summary>
internal interface ITrainingRuntime : IDisposable
{
    /// <summary>Whether a batch may be given in parts: whether all elements of a step weigh alike.</summary>
    bool RunsBatchesInParts { get; }

    /// <summary>Computes the gradient of a step's mean loss and moves the parameters.</summary>
    /// <param name="step">The step's number, from 1.</param>
    /// <param name="learningRate">The step's rate.</param>
    /// <param name="batches">This process's batches of the step, at least one of all processes; each has something to
    /// learn.</param>
    /// <returns>The loss before the step; where it is not finite, nothing has moved.</returns>
    StepResult Step(int step, double learningRate, IReadOnlyList<Batch> batches);

    /// <summary>Measures the loss with the current parameters, without dropout.</summary>
    /// <param name="batch">The rows.</param>
    (double Sum, long Count) Evaluate(Batch batch);

    /// <summary>Counts the supervised tokens that the current parameters find most likely, without dropout.</summary>
    /// <param name="batch">The rows.</param>
    /// <exception cref="SettingException">It has no graph for that.</exception>
    (double Sum, long Count) CountRight(Batch batch);

    /// <summary>Gives all processes the first one's parameters and the optimiser's state.</summary>
    void Share();

    /// <summary>The current parameters, copied, by their names on disk.</summary>
    IReadOnlyDictionary<string, Tensor> GetWeights();

    /// <summary>Writes all that a later run needs to go on from here, whole or not at all.</summary>
    /// <param name="folder">Where to; exists.</param>
    /// <param name="info">Where the run stands; kept with it.</param>
    /// <param name="best">The weights that were best so far; null for none.</param>
    /// <returns>The file.</returns>
    string Save(string folder, CheckpointInfo info, IReadOnlyDictionary<string, Tensor>? best);

    /// <summary>Goes back to what <see cref="Save"/> wrote.</summary>
    /// <param name="folder">Where it is.</param>
    /// <param name="expected">What the checkpoint must have in common with this run.</param>
    /// <returns>The file, where the run stood, and the weights that were best.</returns>
    /// <exception cref="TrainingFailedException">There is none, or it belongs to another run.</exception>
    (string Path, CheckpointInfo Info, IReadOnlyDictionary<string, Tensor>? Best) Load(
        string folder, CheckpointInfo expected);
}
