using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Portable;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Compilation.OrtTraining;

/// <summary>
/// Writes the files that ONNX Runtime's on-device training API reads, in C#, C++, Java, Swift and JavaScript, up to its
/// last version 1.19.2: two models with the loss, the optimizer, a checkpoint, and the manifest that names it all.
/// </summary>
/// <seealso href="https://onnxruntime.ai/docs/api/python/on_device_training/training_artifacts.html"/>
public static class OrtTrainingArtifacts
{
    private const long EmbedUpTo = 1L << 30;

    /// <summary>
    /// Writes a set. Files take their places when all are written; a failure before leaves the folder as it was.
    /// </summary>
    /// <param name="peft">The adapted model with its initial weights; one active adapter.</param>
    /// <param name="objective">What to minimise; the loss models' first output is its mean over a batch.</param>
    /// <param name="options">What is decided now rather than in training.</param>
    /// <param name="folder">Where to; created if missing. Files of an earlier set are replaced or removed.</param>
    /// <returns>The manifest.</returns>
    /// <exception cref="ConfigException">Several adapters are active, or none; or the training API cannot do what is
    /// asked, such as a learning rate per parameter; the message says which.</exception>
    /// <exception cref="UnsupportedOpException">An operator on the way from a parameter to the loss has no
    /// gradient.</exception>
    /// <exception cref="GraphException">The model has no loss of this kind.</exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public static ArtifactManifest Write(
        PeftModel peft, IObjective objective, ArtifactSettings options, string folder)
    {
        ArgumentNullException.ThrowIfNull(peft);
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(folder);
        TrainingLimits.Check(peft, options);
        var models = LossModels.Build(peft, objective, options);
        var optimizer = OptimizerModel.Build(options.Optimizer, options.Folding?.Factor ?? 1);
        var saving = SavingGraph.Build(peft);
        var dataFile = DataFile(models.Training, options.Frozen);
        var described = TrainingContract.OfOptimizer(optimizer.Graph, ArtifactFiles.OptimizerModel);
        var manifest = Manifest(peft, options, models, described, objective.Name, dataFile) with
        {
            Saving = saving?.In(ArtifactFiles.SavingModel),
        };
        using var stage = new StagedFolder(folder);
        ArtifactModels.Save(stage.Path, models.Training, models.Evaluation, optimizer, saving?.Model, dataFile);
        Checkpoint(peft, models).Save(Path.Combine(stage.Path, OrtCheckpoint.FileName));
        if (manifest.Files.Weights is { } constants)
            SafetensorsFile.Save(Path.Combine(stage.Path, constants), Constants(peft));
        manifest.Save(stage.Path);
        stage.Commit(ArtifactFiles.Names);
        return manifest;
    }

    private static ArtifactManifest Manifest(
        PeftModel peft,
        ArtifactSettings options,
        LossModels models,
        ArtifactGraph optimizer,
        string objective,
        string? dataFile)
    {
        return new ArtifactManifest
        {
            Runtime = ArtifactRuntimes.OrtTraining,
            Objective = objective,
            Base = BaseFacts.Of(options.Base, peft, models.Training.Opset),
            PeftConfig = peft.Config.ToJson(),
            VirtualTokens = peft.VirtualTokens,
            ReservedPositions = peft.ReservedPositions,
            BaseDropout = options.BaseDropout,
            Files = new ArtifactFiles
            {
                Weights = peft.Buffers.Count > 0 ? AdapterFiles.Weights : null,
                Checkpoint = OrtCheckpoint.FileName,
                ExternalData = dataFile is null ? [] : [dataFile],
            },
            Training = TrainingContract.OfLoss(models.Training.Graph, models, ArtifactFiles.TrainingModel),
            Evaluation = TrainingContract.OfLoss(models.Evaluation.Graph, models, ArtifactFiles.EvaluationModel),
            Optimizer = optimizer,
            Parameters = TrainingContract.Parameters(peft),
            AdamW = options.Optimizer,
            FoldLr = options.Folding,
        };
    }

    private static OrtCheckpoint Checkpoint(PeftModel peft, LossModels models) => new()
    {
        Trainable = [.. peft.Parameters.Select(static p => p.Value.Initializer!.WithName(p.Name))],
        Frozen = models.Frozen,
    };

    /// <summary>The tensors that are saved with the adapter and do not train; not every API gives them back.</summary>
    private static IEnumerable<(string Name, Tensor Tensor)> Constants(PeftModel peft) =>
        peft.Buffers.Select(static b => (b.Name, b.Value.Initializer!));

    /// <summary>
    /// Where the weights go that are constants of the models: a file of their own, or null for the models.
    /// </summary>
    private static string? DataFile(Model training, FrozenWeights? frozen)
    {
        var bytes = ArtifactLimits.FrozenBytes(training, mustEmbed: frozen == FrozenWeights.Embed);
        var isFile = frozen == FrozenWeights.File || (frozen != FrozenWeights.Embed && bytes > EmbedUpTo);
        return isFile ? ArtifactFiles.FrozenWeights : null;
    }
}
