using System.Diagnostics;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.OrtTraining;
using OrtPeft.Compilation.Portable;
using OrtPeft.Training;

namespace OrtPeft.Cli.Artifacts;

/// <summary>The runtimes that folders can be written for: a row each.</summary>
internal static class ArtifactWriters
{
    /// <summary>All writers; the first is the default.</summary>
    public static IReadOnlyList<ArtifactWriter> All { get; } =
    [
        new(ArtifactRuntimes.Ort, "inference sessions of any ONNX Runtime", WritePortable),
        new(ArtifactRuntimes.OrtTraining, "ONNX Runtime's training API up to 1.19.2", WriteOrtTraining)
        {
            Places = [ArtifactWriter.Checkpoint, ArtifactWriter.Embed, ArtifactWriter.File],
            FoldsLearningRate = true,
        },
    ];

    /// <summary>The writer of a name that the table has.</summary>
    public static ArtifactWriter Of(string name) => All.Single(w => w.Name == name);

    private static ArtifactManifest WritePortable(ArtifactRequest request)
    {
        var rates = new TrainingArguments { LoraPlusRatio = request.LoraPlusRatio };
        var options = new PortableOptions
        {
            Optimizer = request.Optimizer,
            LearningRateFactor = rates.LearningRateFactorOf,
            BaseDropout = request.BaseDropout,
            EmbedWeights = request.FrozenWeights is { } place ? place == ArtifactWriter.Embed : null,
            EvaluationPredictions = request.EvaluationPredictions,
            Base = request.Base,
        };
        return PortableArtifacts.Write(request.Peft, new CausalLm(), options, request.Folder);
    }

    private static ArtifactManifest WriteOrtTraining(ArtifactRequest request)
    {
        var rates = new TrainingArguments { LoraPlusRatio = request.LoraPlusRatio };
        var options = new OrtTrainingOptions
        {
            Optimizer = request.Optimizer,
            Frozen = request.FrozenWeights switch
            {
                null or ArtifactWriter.Checkpoint => FrozenWeights.Checkpoint,
                ArtifactWriter.Embed => FrozenWeights.Embed,
                ArtifactWriter.File => FrozenWeights.File,
                var place => throw new UnreachableException($"Bug: no such place: {place}."),
            },
            FoldedLearningRate = request.FoldedLearningRate,
            LearningRateFactor = rates.LearningRateFactorOf,
            BaseDropout = request.BaseDropout,
            EvaluationPredictions = request.EvaluationPredictions,
            Base = request.Base,
        };
        return OrtTrainingArtifacts.Write(request.Peft, new CausalLm(), options, request.Folder);
    }
}
