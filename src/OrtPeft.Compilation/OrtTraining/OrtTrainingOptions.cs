using OrtPeft.Adapters;
using OrtPeft.Artifacts;

namespace OrtPeft.Compilation.OrtTraining;

/// <summary>How a set for ONNX Runtime's training API is made.</summary>
public sealed record OrtTrainingOptions
{
    /// <summary>The rate that the web API trains with: it has no way to set one.</summary>
    public const double WebLearningRate = 0.001;

    /// <summary>AdamW's constants and the clipping, which become part of the optimizer model.</summary>
    public AdamWConfig Optimizer { get; init; } = new();

    /// <summary>Where the base's weights stand. Default <see cref="FrozenWeights.Checkpoint"/>.</summary>
    /// <remarks>Packed 4-bit weights are constants either way: a checkpoint cannot hold them.</remarks>
    public FrozenWeights Frozen { get; init; } = FrozenWeights.Checkpoint;

    /// <summary>
    /// The learning rate to train with where the API cannot set one: the optimizer model multiplies the rate it is
    /// given by this over <see cref="WebLearningRate"/>. Positive; null (default) leaves the rate as given.
    /// </summary>
    public double? FoldedLearningRate { get; init; }

    /// <summary>
    /// What a parameter's learning rate is multiplied by; the method's own factor by default. Anything but 1, such as
    /// LoRA+, is refused: the API has one rate for all.
    /// </summary>
    public Func<AdapterParameter, double> LearningRateFactor { get; init; } = static p => p.LearningRateFactor;

    /// <summary>Whether dropout of the base's own graph is live in training. Default true.</summary>
    public bool BaseDropout { get; init; } = true;

    /// <summary>
    /// Whether the evaluation model also gives the model's predictions, such as logits, behind the loss, so that an app
    /// can generate with the weights as they are. Costs the head's product at every position. Default false.
    /// </summary>
    public bool EvaluationPredictions { get; init; }

    /// <summary>Facts of the base for the manifest; the opset and the number of parameters are filled in.</summary>
    public ArtifactBase Base { get; init; } = new();

    /// <summary>What the manifest says of a folded rate; null where there is none.</summary>
    internal LearningRateFolding? Folding =>
        FoldedLearningRate is { } rate ? new LearningRateFolding(WebLearningRate, rate) : null;
}
