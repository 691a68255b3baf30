using OrtPeft.Adapters.Artifacts.Objectives;
using OrtPeft.Adapters.Artifacts.Portable;
using OrtPeft.Artifacts;
using OrtPeft.Training;

namespace OrtPeft.Cli.Artifacts;

/// <summary>The runtimes that folders can be written for: a row each.</summary>
internal static class ArtifactWriters
{
    /// <summary>All writers; the first is the default.</summary>
    public static IReadOnlyList<ArtifactWriter> All { get; } =
    [
        new(ArtifactRuntimes.Ort, "inference sessions of any ONNX Runtime", WritePortable),
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
            EmbedWeights = request.EmbedWeights,
            EvaluationPredictions = request.EvaluationPredictions,
            Base = request.Base,
        };
        return PortableArtifacts.Write(request.Peft, new CausalLm(), options, request.Folder);
    }
}
