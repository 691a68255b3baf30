using System.Text.Json.Serialization;
using OrtPeft.Artifacts.OrtFormats;

namespace OrtPeft.Artifacts;

/// <summary>Files of an artifact folder: what they are called, and which of those that are not models it has.</summary>
public sealed record ArtifactFiles
{
    /// <summary>The name of the model with loss and gradients.</summary>
    public const string TrainingModel = "training_model.onnx";

    /// <summary>The name of the model with the loss alone.</summary>
    public const string EvaluationModel = "eval_model.onnx";

    /// <summary>The name of the model that moves the parameters.</summary>
    public const string OptimizerModel = "optimizer_model.onnx";

    /// <summary>The name of the model that makes what is saved of what trains, where these differ.</summary>
    public const string SavingModel = "save_model.onnx";

    /// <summary>The name of the file with weights that do not train.</summary>
    public const string FrozenWeights = "frozen_weights.bin";

    /// <summary>
    /// Every file that a folder of either runtime may hold; the manifest last, so that a folder with one is complete.
    /// </summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        TrainingModel,
        EvaluationModel,
        OptimizerModel,
        SavingModel,
        FrozenWeights,
        OrtCheckpoint.FileName,
        OrtCheckpoint.FileName + OrtCheckpoint.ExternalDataSuffix,
        AdapterFiles.Weights,
        AdapterFiles.Config,
        ArtifactManifest.FileName,
    ];

    /// <summary>
    /// Weights as safetensors: every parameter's initial values by its name, and tensors that do not train but are
    /// saved with the adapter. Where a checkpoint holds the parameters, the others alone; null (default) when there
    /// are none.
    /// </summary>
    public string? Weights { get; init; }

    /// <summary>The adapter's configuration as HF PEFT writes it; null (default) where there is none.</summary>
    public string? Config { get; init; }

    /// <summary>ONNX Runtime's training checkpoint; null (default) where there is none.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>
    /// Files that models point into as their external data: frozen weights, held once for all models. They must lie
    /// beside the models; in a browser they are handed over with the model. Empty by default.
    /// </summary>
    [JsonRequired]
    public IReadOnlyList<string> ExternalData { get; init; } = [];
}
