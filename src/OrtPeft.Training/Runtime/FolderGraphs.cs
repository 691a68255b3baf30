using System.Diagnostics.CodeAnalysis;
using OrtPeft.Artifacts;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Training.Runtime;

/// <summary>Portable graphs of an artifact folder.</summary>
internal static class FolderGraphs
{
    public static OrtGraphs Of(string folder, ArtifactManifest manifest)
    {
        var path = Path.Combine(folder, ArtifactManifest.FileName);
        if (manifest.Parameters.FirstOrDefault(static p => p.Gradient is null) is { } without)
            throw Missing(path, $"the gradient of '{without.Name}'");
        return new OrtGraphs
        {
            Parameters = manifest.Parameters,
            FlatLength = manifest.FlatLength ?? throw Missing(path, "flat_length"),
            VirtualTokens = manifest.VirtualTokens,
            InitialWeight = InitialWeights(
                Path.Combine(folder, manifest.Files.Weights ?? throw Missing(path, "files.weights")), manifest),
            OpenTraining = options => Open(folder, manifest.Training, options),
            OpenEvaluation = options => Open(folder, manifest.Evaluation ?? throw Missing(path, "evaluation"), options),
            OpenOptimizer = options => Open(folder, manifest.Optimizer, options),
        };
    }

    /// <summary>Opens one of a folder's models.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The result takes the session over.")]
    public static GraphSession Open(string folder, ArtifactGraph graph, RuntimeOptions options)
    {
        var path = Path.GetFullPath(Path.Combine(folder, graph.File));
        var session = FileSession.Open(path, options);
        return new GraphSession(session, graph, session, path);
    }

    /// <summary>All are compared with the manifest before memory is taken by its numbers.</summary>
    private static Func<string, Tensor> InitialWeights(string path, ArtifactManifest manifest)
    {
        var file = SafetensorsFile.Open(path);
        foreach (var parameter in manifest.Parameters)
        {
            var tensor = file[parameter.Name];
            if (!tensor.Type.IsFloating() || !tensor.Dims.SequenceEqual(parameter.Dims))
            {
                throw new OnnxFormatException(
                    $"{file.Path}: {tensor} is of another type or shape than {ArtifactManifest.FileName} says, "
                    + $"[{string.Join(", ", parameter.Dims)}]; copy the whole folder, or write it again.");
            }
        }

        return parameter => file[parameter];
    }

    private static OnnxFormatException Missing(string path, string field) =>
        new($"{path}: {field} is missing, which '{ArtifactRuntimes.Ort}' needs; write the artifacts again.");
}
