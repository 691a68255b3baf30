using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Runtime.Memory;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Training.Runtime;

/// <summary>
/// Everything a run needs to go on as if it had never stopped, in one safetensors file: parameters and the optimiser's
/// state under the parameters' names, the weights that were best where there is evaluation data, and in the metadata the
/// step, the time spent, and what the run must have in common.
/// </summary>
internal static class TrainingCheckpoint
{
    public const string FileName = "checkpoint.safetensors";

    private const string BestPrefix = "best/";

    private const string SharedPrefix = "optimizer/";

    /// <summary>Writes the checkpoint, of what is in the runtime's vectors, whole or not at all.</summary>
    /// <returns>The file.</returns>
    public static string Save(string folder, OrtRuntime runtime, CheckpointInfo info, IReadOnlyDictionary<string, Tensor>? best)
    {
        var path = Path.Combine(folder, FileName);
        var tensors = runtime.State.SelectMany(part => runtime.Parameters.Select(parameter => (
            $"{part.Name}/{parameter.Name}",
            Tensor.Of<float>(TrainedVectors.Part(part.Vector, parameter), [.. parameter.Dims]))));
        var shared = runtime.SharedState.Select(static s => (
            SharedPrefix + s.Role, new Tensor(s.Vector.Type, [.. s.Dims], new MemoryTensorData(s.Vector.Bytes.ToArray()))));
        SafetensorsFile.Save(path, [.. tensors, .. shared, .. Named(best, BestPrefix)], info.ToMetadata());
        return path;
    }

    /// <summary>Reads a checkpoint back into a runtime's vectors.</summary>
    /// <exception cref="TrainingFailedException">There is none, or it belongs to another run.</exception>
    public static (string Path, CheckpointInfo Info, IReadOnlyDictionary<string, Tensor>? Best) Load(
        string folder, OrtRuntime runtime, CheckpointInfo expected)
    {
        var path = Path.Combine(folder, FileName);
        MustExist(path);
        var file = SafetensorsFile.Open(path);
        var info = CheckpointInfo.FromMetadata(file.Metadata, path);
        info.MustMatch(expected, path);
        foreach (var (part, vector) in runtime.State)
        {
            foreach (var parameter in runtime.Parameters)
            {
                var tensor = Find(file, path, $"{part}/{parameter.Name}", ElementType.Float, parameter.Dims);
                tensor.CopyTo(TrainedVectors.Part(vector, parameter));
            }
        }

        foreach (var state in runtime.SharedState)
        {
            var tensor = Find(file, path, SharedPrefix + state.Role, state.Vector.Type, state.Dims);
            tensor.Data.Slice(0, state.Vector.Bytes.Length).CopyTo(state.Vector.Bytes);
        }

        return (path, info, BestIn(file, path, BestPrefix, runtime.VectorWeights()));
    }

    private static Tensor Find(
        SafetensorsFile file, string path, string name, ElementType type, IReadOnlyList<long> dims) =>
        file.Tensors.TryGetValue(name, out var tensor) && tensor.Type == type && tensor.Dims.SequenceEqual(dims)
            ? tensor
            : throw new TrainingFailedException(
                $"{path}: '{name}' is missing or of another type or shape; it is another run's checkpoint.");

    /// <summary>Weights under names with something before them.</summary>
    public static IEnumerable<(string Name, Tensor Tensor)> Named(
        IReadOnlyDictionary<string, Tensor>? weights, string prefix) =>
        weights?.Select(w => (prefix + w.Key, w.Value)) ?? [];

    /// <summary>The weights that were best; null where the file has none.</summary>
    /// <param name="file">The file.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <param name="prefix">What stands before their names.</param>
    /// <param name="like">All weights there must be, with their axes.</param>
    /// <exception cref="TrainingFailedException">Some are missing or of another shape.</exception>
    public static Dictionary<string, Tensor>? BestIn(
        SafetensorsFile file, string path, string prefix, IReadOnlyDictionary<string, Tensor> like)
    {
        if (!like.Keys.Any(name => file.Tensors.ContainsKey(prefix + name)))
            return null;
        return like.ToDictionary(
            static w => w.Key,
            w => file.Tensors.TryGetValue(prefix + w.Key, out var best) && best.Type == ElementType.Float
                && best.Dims.SequenceEqual(w.Value.Dims)
                    ? Tensor.Of<float>(best.ToFloat32(), best.Dims.AsSpan())
                    : throw new TrainingFailedException(
                        $"{path}: '{prefix}{w.Key}' is missing or of another type or shape; it is another run's checkpoint."),
            StringComparer.Ordinal);
    }

    /// <summary>Whose kernel multiplied in the run that left a checkpoint in a folder, OrtPeft's or not; null where
    /// there is none, or it does not say.</summary>
    public static bool? MultipliedByOwn(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return null;
        var info = CheckpointInfo.FromMetadata(SafetensorsFile.Open(path).Metadata, path);
        return info.Settings.GetValueOrDefault(RunIdentity.Products) switch
        {
            ProductKernel.Own => true,
            ProductKernel.OnnxRuntime => false,
            _ => null,
        };
    }

    /// <summary>Says what to do where there is no checkpoint.</summary>
    public static void MustExist(string path)
    {
        if (!File.Exists(path))
            throw new TrainingFailedException(
                $"{path} does not exist, so there is nothing to resume; train without resuming.");
    }
}
