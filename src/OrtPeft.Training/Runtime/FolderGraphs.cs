using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Training.Runtime;

/// <summary>Portable graphs of an artifact folder.</summary>
internal sealed class FolderGraphs : OrtGraphs
{
    private readonly string _folder;
    private readonly ArtifactManifest _manifest;
    private readonly SafetensorsFile _weights;

    private FolderGraphs(string folder, ArtifactManifest manifest, long flatLength, SafetensorsFile weights)
        : base(manifest.Parameters, flatLength, manifest.VirtualTokens)
    {
        (_folder, _manifest, _weights) = (folder, manifest, weights);
    }

    /// <summary>The graphs of a folder.</summary>
    /// <exception cref="OnnxFormatException">The manifest lacks something, or the weights are not what it
    /// says.</exception>
    public static FolderGraphs Of(string folder, ArtifactManifest manifest)
    {
        if (manifest.Parameters.FirstOrDefault(static p => p.Gradient is null) is { } without)
            throw Missing(folder, $"the gradient of '{without.Name}'");
        var results = manifest.Training.Outputs.Select(static o => o.Name).ToHashSet(StringComparer.Ordinal);
        if (manifest.Parameters.FirstOrDefault(p => !results.Contains(p.Gradient!)) is { } other)
        {
            throw new OnnxFormatException(
                $"{Path.Combine(folder, ArtifactManifest.FileName)}: the gradient '{other.Gradient}' of '{other.Name}' "
                + $"is not an output of {manifest.Training.File}; write the artifacts again.");
        }

        var flatLength = manifest.FlatLength ?? throw Missing(folder, "flat_length");
        var weights = manifest.Files.Weights ?? throw Missing(folder, "files.weights");
        return new FolderGraphs(folder, manifest, flatLength, Weights(Path.Combine(folder, weights), manifest));
    }

    /// <inheritdoc/>
    public override Tensor InitialWeight(string parameter) => _weights[parameter];

    /// <inheritdoc/>
    public override GraphSession OpenTraining(RuntimeOptions options) => OpenLoss(_manifest.Training, options);

    /// <inheritdoc/>
    public override GraphSession OpenEvaluation(RuntimeOptions options) =>
        OpenLoss(_manifest.Evaluation ?? throw Missing(_folder, "evaluation"), options);

    /// <inheritdoc/>
    public override GraphSession OpenOptimizer(RuntimeOptions options) => Open(_folder, _manifest.Optimizer, options);

    private GraphSession OpenLoss(ArtifactGraph graph, RuntimeOptions options) =>
        options.DeviceMemory is null ? Open(_folder, graph, options) : OpenFlat(graph, options);

    /// <summary>For such a device a model is read as a graph, and gets flat parameters and what the provider has kernels
    /// for. Not inlined: the code for graphs is loaded with this method.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private GraphSession OpenFlat(ArtifactGraph graph, RuntimeOptions options)
    {
        var path = Path.GetFullPath(Path.Combine(_folder, graph.File));
        var model = OnnxFile.Load(path);
        Check(path, graph, model.Graph.Inputs.Select(static v => v.Name), model.Graph.Outputs.Select(static v => v.Name));
        return ModelGraphs.Open(FlatGraph.Of(new CompiledGraph(model, graph), Parameters), options);
    }

    /// <summary>Opens one of a folder's models.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The result takes the session over.")]
    public static GraphSession Open(string folder, ArtifactGraph graph, RuntimeOptions options)
    {
        var path = Path.GetFullPath(Path.Combine(folder, graph.File));
        var session = FileSession.Open(path, options);
        try
        {
            Check(path, graph, session.InputNames, session.OutputNames);
            return new GraphSession(session, graph, options, session, path);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Refuses a manifest with a name that is none of the model's; ONNX Runtime would not say which until it runs.
    /// </summary>
    private static void Check(string path, ArtifactGraph graph, IEnumerable<string> inputs, IEnumerable<string> outputs)
    {
        var unknown = graph.Inputs.Select(static i => i.Name).Except(inputs)
            .Concat(graph.Outputs.Select(static o => o.Name).Except(outputs));
        if (unknown.FirstOrDefault() is { } name)
        {
            throw new OnnxFormatException(
                $"{path} has no input or output '{name}', which {ArtifactManifest.FileName} says; copy the whole folder, "
                + "or write it again.");
        }
    }

    /// <summary>All are compared with the manifest before memory is taken by its numbers.</summary>
    private static SafetensorsFile Weights(string path, ArtifactManifest manifest)
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

        return file;
    }

    private static OnnxFormatException Missing(string folder, string field) => new(
        $"{Path.Combine(folder, ArtifactManifest.FileName)}: {field} is missing, which '{ArtifactRuntimes.Ort}' needs; "
        + "write the artifacts again.");
}
