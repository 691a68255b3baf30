using OrtPeft.Onnx.Safetensors;
using OrtPeft.Training.Runtime;
using Tensor = OrtPeft.Onnx.Tensor;

namespace OrtPeft.Training.Checkpoints;

/// <summary>
/// Everything a run needs to go on as if it had never stopped, in one safetensors file: parameters and both moments
/// under
/// the parameters' names, and in the metadata the step, the time spent, and what the run must have in common.
/// </summary>
internal static class TrainingCheckpoint
{
    public const string FileName = "checkpoint.safetensors";

    /// <summary>Writes the checkpoint whole or not at all.</summary>
    public static void Save(string path, OrtRuntime runtime, CheckpointInfo info)
    {
        var tensors = runtime.State.SelectMany(part => runtime.Layout.Slots.Select(slot =>
            ($"{part.Name}/{slot.Name}", Tensor.Of<float>(part.Vector.Span(slot.Offset, slot.Count), slot.Dims))));
        SafetensorsFile.Save(path, tensors, info.ToMetadata());
    }

    /// <summary>Reads a checkpoint back into a runtime.</summary>
    /// <exception cref="TrainingFailedException">There is none, or it belongs to another run.</exception>
    public static CheckpointInfo Load(string path, OrtRuntime runtime, CheckpointInfo expected)
    {
        if (!File.Exists(path))
            throw new TrainingFailedException(
                $"{path} does not exist, so there is nothing to resume; train without --resume.");
        var file = SafetensorsFile.Open(path);
        var info = CheckpointInfo.FromMetadata(file.Metadata, path);
        info.MustMatch(expected, path);
        foreach (var (part, vector) in runtime.State)
        {
            foreach (var slot in runtime.Layout.Slots)
            {
                var name = $"{part}/{slot.Name}";
                if (!file.Tensors.TryGetValue(name, out var tensor) || !tensor.Dims.SequenceEqual(slot.Dims))
                    throw new TrainingFailedException(
                        $"{path}: '{name}' is missing or of another shape; it is another run's checkpoint.");
                tensor.Span<float>().CopyTo(vector.Span(slot.Offset, slot.Count));
            }
        }

        return info;
    }
}
