using OrtPeft.Artifacts;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Compilation.OrtTraining;
using OrtPeft.Compilation.Portable;

namespace OrtPeft.Cli.Artifacts;

/// <summary>The runtimes that folders can be written for: a row each.</summary>
internal static class ArtifactWriters
{
    /// <summary>All writers; the first is the default.</summary>
    public static IReadOnlyList<ArtifactWriter> All { get; } =
    [
        new(ArtifactRuntimes.Ort, "inference sessions of any ONNX Runtime", PortableArtifacts.Write) { IsForProviders = true },
        new(ArtifactRuntimes.OrtTraining, "ONNX Runtime's training API up to 1.19.2", OrtTrainingArtifacts.Write)
        {
            Places = [FrozenWeights.Checkpoint, FrozenWeights.Embed, FrozenWeights.File],
            FoldsLearningRate = true,
        },
    ];

    /// <summary>The writer of a name that the table has.</summary>
    public static ArtifactWriter Of(string name) => All.Single(w => w.Name == name);
}
