using OrtPeft.Adapters;
using OrtPeft.Artifacts;

namespace OrtPeft.Cli.Artifacts;

/// <summary>The thing that is trained, for reports: an adapter on a model, or an artifact folder.</summary>
/// <param name="Method">HF PEFT's name of the method.</param>
/// <param name="Trainable">How many elements train.</param>
/// <param name="Total">How many there are in all, or null where nobody counted.</param>
/// <param name="WeightsFile">The name of the file that receives the trained weights.</param>
internal sealed record TrainingJob(string Method, long Trainable, long? Total, string WeightsFile)
{
    public static TrainingJob Of(PeftModel model) =>
        new(model.Config.PeftType, model.TrainableParameterCount, model.TotalParameterCount, model.Config.WeightsFile);

    public static TrainingJob Of(ArtifactManifest manifest) => new(
        (string?)manifest.PeftConfig["peft_type"] ?? "unknown",
        manifest.Parameters.Sum(static p => p.Count),
        manifest.Base.TotalParameters,
        AdapterFiles.Weights);
}
