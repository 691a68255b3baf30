using OrtPeft.Artifacts;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Adapters.Artifacts;

/// <summary>
/// Artifact files that take their places together: they are written into a folder inside the target, then moved.
/// </summary>
internal sealed class StagedFolder : IDisposable
{
    private readonly string _target;

    /// <summary>Makes the target where it is missing.</summary>
    /// <param name="target">Where the files go.</param>
    public StagedFolder(string target)
    {
        _target = System.IO.Path.GetFullPath(target);
        Path = Directory.CreateDirectory(System.IO.Path.Combine(_target, $".ortpeft-{Guid.NewGuid():n}")).FullName;
    }

    /// <summary>Where to write.</summary>
    public string Path { get; }

    /// <summary>Writes the models; those of the loss share the weights that go to a file of their own.</summary>
    /// <param name="training">Loss and gradients.</param>
    /// <param name="evaluation">The loss alone.</param>
    /// <param name="optimizer">What moves the parameters.</param>
    /// <param name="saving">What makes the tensors that are saved, or null.</param>
    /// <param name="dataFile">The file for weights; null to embed them.</param>
    public void SaveModels(Model training, Model evaluation, Model optimizer, Model? saving, string? dataFile)
    {
        OnnxFile.SaveTogether(
            [(ArtifactFiles.TrainingModel, training), (ArtifactFiles.EvaluationModel, evaluation)], Path, dataFile);
        var others = new List<(string, Model)> { (ArtifactFiles.OptimizerModel, optimizer) };
        if (saving is not null)
            others.Add((ArtifactFiles.SavingModel, saving));
        OnnxFile.SaveTogether(others, Path, dataName: null);
    }

    /// <summary>Moves the files; those of an earlier time that were not written again go.</summary>
    public void Commit()
    {
        File.Delete(System.IO.Path.Combine(_target, ArtifactManifest.FileName));
        foreach (var name in ArtifactFiles.Names)
        {
            var (written, place) = (System.IO.Path.Combine(Path, name), System.IO.Path.Combine(_target, name));
            if (File.Exists(written))
                File.Move(written, place, overwrite: true);
            else
                File.Delete(place);
        }
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
