using System.Globalization;
using OrtPeft.Adapters.Artifacts.Objectives;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Adapters.Artifacts.OrtTraining;

/// <summary>
/// Writes the files that ONNX Runtime's on-device training API reads, in C#, C++, Java, Swift and JavaScript, up to its
/// last version 1.19.2: two models with the loss, the optimizer and a checkpoint.
/// </summary>
/// <seealso href="https://onnxruntime.ai/docs/api/python/on_device_training/training_artifacts.html"/>
public static class OrtTrainingArtifacts
{
    /// <summary>The model with loss and gradients.</summary>
    public const string TrainingModelFile = "training_model.onnx";

    /// <summary>The model with the loss alone.</summary>
    public const string EvaluationModelFile = "eval_model.onnx";

    /// <summary>The model that moves the parameters.</summary>
    public const string OptimizerModelFile = "optimizer_model.onnx";

    /// <summary>Weights of both loss models, where they are too large to stand in them.</summary>
    public const string WeightsFile = "training_model.onnx.data";

    /// <summary>
    /// Writes a set. Files appear when all are written; one that fails leaves the folder as it was.
    /// </summary>
    /// <param name="peft">The adapted model; its adapter's weights are the first checkpoint's.</param>
    /// <param name="objective">What to minimise; the models' first output is its mean.</param>
    /// <param name="options">Optimizer, frozen weights, learning rate.</param>
    /// <param name="folder">Receives the files; created if missing. Files of an earlier set are replaced.</param>
    /// <returns>What was written.</returns>
    /// <exception cref="ConfigException">The adapters are disabled, or the set cannot express what they need, such as
    /// learning rates per parameter; the message says which.</exception>
    /// <exception cref="UnsupportedOpException">An operator on the way from a parameter to the loss has no
    /// gradient.</exception>
    /// <exception cref="GraphException">The model has no loss of this kind.</exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public static OrtTrainingSet Write(
        PeftModel peft, IObjective objective, OrtTrainingOptions options, string folder)
    {
        ArgumentNullException.ThrowIfNull(peft);
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(folder);
        Check(options);
        Check(peft.Parameters);
        var models = LossModels.Build(peft, objective, options);
        var optimizer = OptimizerModel.Build(options.Optimizer, options.LearningRateFactor);
        var checkpoint = new OrtCheckpoint
        {
            Trainable = [.. peft.Parameters.Select(static p => p.Value.Initializer!.WithName(p.Name))],
            Frozen = models.Frozen,
        };
        using var target = new StagedFolder(folder, KnownFiles);
        OnnxFile.SaveTogether(
            [
                (models.Training, target.PathOf(TrainingModelFile)),
                (models.Evaluation, target.PathOf(EvaluationModelFile)),
            ],
            WeightsFile);
        OnnxFile.Save(optimizer, target.PathOf(OptimizerModelFile));
        checkpoint.Save(target.PathOf(OrtCheckpoint.FileName));
        return new OrtTrainingSet(folder, target.Commit())
        {
            UserInputs = [.. models.UserInputs.Select(static i => i.Name)],
            LossOutput = models.Loss,
            Trainable = [.. checkpoint.Trainable.Select(static t => t.Name)],
            Frozen = [.. checkpoint.Frozen.Select(static t => t.Name)],
        };
    }

    private static IReadOnlyList<string> KnownFiles =>
    [
        TrainingModelFile,
        EvaluationModelFile,
        OptimizerModelFile,
        WeightsFile,
        OrtCheckpoint.FileName,
        OrtCheckpoint.FileName + OrtCheckpoint.ExternalDataSuffix,
    ];

    private static void Check(OrtTrainingOptions options)
    {
        if (options.FoldedLearningRate is { } rate && !(rate > 0 && double.IsFinite(rate)))
            throw new ConfigException(string.Create(
                CultureInfo.InvariantCulture, $"The learning rate to fold in is {rate}; it must be above 0."));
    }

    private static void Check(IReadOnlyList<AdapterParameter> parameters)
    {
        foreach (var parameter in parameters)
        {
            if (parameter.LearningRateFactor != 1)
                throw new ConfigException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{parameter.Name}' has {parameter.LearningRateFactor} times the learning rate, as LoRA+ has it, " +
                    $"and ONNX Runtime's training API knows one rate for all; use a ratio of 1 or the runtime 'ort'."));
            if (parameter.Value.Type != ElementType.Float)
                throw new ConfigException(
                    $"'{parameter.Name}' is {parameter.Value.Type}; ONNX Runtime's AdamW trains float32 alone.");
        }
    }
}
