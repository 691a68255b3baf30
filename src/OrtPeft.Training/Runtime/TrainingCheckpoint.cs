using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Training.Checkpoints;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Training.Runtime;

/// <summary>
/// Everything a run needs to go on as if it had never stopped, in one safetensors file: parameters and both moments
/// under the parameters' names, and in the metadata the step, the time spent, and what the run must have in common.
/// </summary>
internal static class TrainingCheckpoint
{
    public const string FileName = "checkpoint.safetensors";

    /// <summary>Writes the checkpoint whole or not at all.</summary>
    /// <returns>The file.</returns>
    public static string Save(string folder, OrtRuntime runtime, CheckpointInfo info)
    {
        var path = Path.Combine(folder, FileName);
        var tensors = runtime.State.SelectMany(part => runtime.Parameters.Select(parameter => (
            $"{part.Name}/{parameter.Name}",
            Tensor.Of<float>(OrtRuntime.Part(part.Vector, parameter), [.. parameter.Dims]))));
        SafetensorsFile.Save(path, tensors, info.ToMetadata());
        return path;
    }

    /// <summary>Reads a checkpoint back into a runtime.</summary>
    /// <exception cref="TrainingFailedException">There is none, or it belongs to another run.</exception>
    public static (string Path, CheckpointInfo Info) Load(string folder, OrtRuntime runtime, CheckpointInfo expected)
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
                var name = $"{part}/{parameter.Name}";
                if (!file.Tensors.TryGetValue(name, out var tensor) || tensor.Type != ElementType.Float
                    || !tensor.Dims.SequenceEqual(parameter.Dims))
                {
                    throw new TrainingFailedException(
                        $"{path}: '{name}' is missing or of another type or shape; it is another run's checkpoint.");
                }

                tensor.CopyTo(OrtRuntime.Part(vector, parameter));
            }
        }

        return (path, info);
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
