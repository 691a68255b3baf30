using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Artifacts;

/// <summary>
/// An adapter's parameters as a training run on some device left them, by their names on disk, whatever file brought
/// them: ONNX Runtime's checkpoint, safetensors, or the numbers alone. Tensors are ranges of the mapped file.
/// </summary>
public sealed class TrainedParameters
{
    private TrainedParameters(string source, IReadOnlyDictionary<string, Tensor> trained)
    {
        Source = source;
        Trained = trained;
    }

    /// <summary>The file, as messages call it.</summary>
    public string Source { get; }

    /// <summary>The parameters that were trained.</summary>
    public IReadOnlyDictionary<string, Tensor> Trained { get; }

    /// <summary>
    /// The tensors beside them that did not train: a checkpoint's frozen parameters, and what the artifacts save with
    /// an adapter, such as VeRA's projections. May hold weights of the base.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> Constants { get; private init; } = new Dictionary<string, Tensor>();

    /// <summary>The optimizer steps made; null where the file does not say.</summary>
    public long? Step { get; private init; }

    /// <summary>Reads the file that a device sent back.</summary>
    /// <param name="path">
    /// A checkpoint of ONNX Runtime's training API; a <c>.safetensors</c> file with the parameters by name; or float32
    /// numbers alone, as the web API's <c>getContiguousParameters</c> gives them or as they stand in the portable
    /// optimizer's flat vector.
    /// </param>
    /// <param name="artifacts">
    /// The artifact folder that the run was made with, whose parameters must be the file's; null where names are taken
    /// as they are. Needed for numbers alone.
    /// </param>
    /// <returns>The parameters.</returns>
    /// <exception cref="OnnxFormatException">
    /// The file is damaged or of no known kind, has no values, or belongs to other artifacts.
    /// </exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static TrainedParameters Load(string path, string? artifacts = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        var manifest = artifacts is null ? null : ArtifactManifest.Load(artifacts);
        var constants = Beside(manifest, artifacts);
        if (Directory.Exists(path) || OrtCheckpoint.IsOne(path))
            return OfCheckpoint(path, manifest, constants);
        if (path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
        {
            var tensors = SafetensorsFile.Open(path).Tensors;
            var trained = manifest is null
                ? tensors
                : ParameterMatch.ByName(tensors, manifest, path, static parameter => parameter.Name);
            return new TrainedParameters(path, trained) { Constants = constants };
        }

        return new TrainedParameters(path, ParameterMatch.ByPlace(MappedFile.Open(path), manifest))
        {
            Constants = constants,
        };
    }

    private static TrainedParameters OfCheckpoint(
        string path, ArtifactManifest? manifest, IReadOnlyDictionary<string, Tensor> constants)
    {
        var checkpoint = OrtCheckpoint.Load(path);
        if (checkpoint.IsNominal)
        {
            throw new OnnxFormatException(
                $"{path}: is a nominal checkpoint, which holds no values; give one that was saved in training.");
        }

        var trained = checkpoint.Trainable.ToDictionary(static t => t.Name, StringComparer.Ordinal);
        var frozen = new Dictionary<string, Tensor>(constants, StringComparer.Ordinal);
        foreach (var tensor in checkpoint.Frozen)
            frozen[tensor.Name] = tensor;
        var named = manifest is null
            ? trained
            : ParameterMatch.ByName(trained, manifest, path, static parameter => parameter.Input);
        return new TrainedParameters(path, named)
        {
            Constants = frozen,
            Step = checkpoint.OptimizerGroups.Count > 0 ? checkpoint.OptimizerGroups.Max(static g => g.Step) : null,
        };
    }

    /// <summary>The tensors that the folder holds beside the initial values of the parameters.</summary>
    private static Dictionary<string, Tensor> Beside(ArtifactManifest? manifest, string? folder)
    {
        if (manifest?.Files.Weights is not { } weights)
            return [];
        var names = manifest.Parameters.Select(static p => p.Name).ToHashSet(StringComparer.Ordinal);
        return SafetensorsFile.Open(Path.Combine(folder!, weights)).Tensors
            .Where(entry => !names.Contains(entry.Key))
            .ToDictionary(StringComparer.Ordinal);
    }
}
