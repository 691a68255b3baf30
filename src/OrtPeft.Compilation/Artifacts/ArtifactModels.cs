using OrtPeft.Artifacts;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Compilation.Artifacts;

/// <summary>Writes the models of an artifact folder under their names.</summary>
internal static class ArtifactModels
{
    /// <summary>Those of the loss share the weights that go to a file of their own.</summary>
    /// <param name="folder">Where to write.</param>
    /// <param name="training">Loss and gradients.</param>
    /// <param name="evaluation">The loss alone.</param>
    /// <param name="optimizer">What moves the parameters.</param>
    /// <param name="saving">What makes the tensors that are saved, or null.</param>
    /// <param name="dataFile">The file for weights; null to embed them.</param>
    public static void Save(
        string folder, Model training, Model evaluation, Model optimizer, Model? saving, string? dataFile)
    {
        OnnxFile.SaveTogether(
            [(ArtifactFiles.TrainingModel, training), (ArtifactFiles.EvaluationModel, evaluation)], folder, dataFile);
        var others = new List<(string, Model)> { (ArtifactFiles.OptimizerModel, optimizer) };
        if (saving is not null)
            others.Add((ArtifactFiles.SavingModel, saving));
        OnnxFile.SaveTogether(others, folder, dataName: null);
    }
}
