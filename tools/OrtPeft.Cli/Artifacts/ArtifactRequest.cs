using OrtPeft.Adapters;
using OrtPeft.Artifacts;

namespace OrtPeft.Cli.Artifacts;

/// <summary>What a writer of artifacts is asked for.</summary>
internal sealed record ArtifactRequest
{
    /// <summary>The adapted model with its initial weights.</summary>
    public required PeftModel Peft { get; init; }

    /// <summary>The optimiser's constants.</summary>
    public required AdamWConfig Optimizer { get; init; }

    /// <summary>LoRA+: what LoRA's B learns faster by than A; 1 is no difference.</summary>
    public required double LoraPlusRatio { get; init; }

    /// <summary>Whether dropout of the base's own graph is live in training.</summary>
    public required bool BaseDropout { get; init; }

    /// <summary>
    /// Where frozen weights stand: one of <see cref="ArtifactWriter.Places"/>; null leaves it to the writer.
    /// </summary>
    public required string? FrozenWeights { get; init; }

    /// <summary>The learning rate to build into the optimiser's model; null for none.</summary>
    public required double? FoldedLearningRate { get; init; }

    /// <summary>Whether the evaluation model also gives logits.</summary>
    public required bool EvaluationPredictions { get; init; }

    /// <summary>Facts of the base.</summary>
    public required ArtifactBase Base { get; init; }

    /// <summary>Where to; exists.</summary>
    public required string Folder { get; init; }
}
