using OrtPeft.Artifacts;

namespace OrtPeft.Adapters.Artifacts.OrtTraining;

/// <summary>How a set for ONNX Runtime's training API is made.</summary>
public sealed record OrtTrainingOptions
{
    /// <summary>The rate that the web API trains with: it has no way to set one.</summary>
    public const double WebLearningRate = 0.001;

    /// <summary>AdamW's constants and the clipping; PyTorch's form of AdamW.</summary>
    public AdamWConfig Optimizer { get; init; } = new();

    /// <summary>Where the base's weights stand. Default <see cref="FrozenWeights.Parameters"/>.</summary>
    /// <remarks>Packed 4-bit weights are constants either way: a checkpoint cannot hold them.</remarks>
    public FrozenWeights Frozen { get; init; } = FrozenWeights.Parameters;

    /// <summary>
    /// The learning rate to train with where the API cannot set one: the optimizer model multiplies the rate it is
    /// given by this over <see cref="WebLearningRate"/>. Positive; null (default) leaves the rate as given.
    /// </summary>
    public double? FoldedLearningRate { get; init; }

    /// <summary>Whether dropout of the base's own graph stays live in training. Default true.</summary>
    public bool BaseDropout { get; init; } = true;

    /// <summary>What the learning rate is multiplied by inside the optimizer model; 1 by default.</summary>
    public double LearningRateFactor => (FoldedLearningRate ?? WebLearningRate) / WebLearningRate;
}
