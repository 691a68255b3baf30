using OrtPeft.Adapters;
using OrtPeft.Artifacts;

namespace OrtPeft.Compilation.Portable;

/// <summary>What is decided when portable artifacts are written.</summary>
public sealed record PortableOptions
{
    /// <summary>The optimiser's constants, which become part of its model. AdamW's defaults by default.</summary>
    public AdamWConfig Optimizer { get; init; } = new();

    /// <summary>
    /// What a parameter's learning rate is multiplied by; the method's own factor by default. LoRA+ is such a choice.
    /// </summary>
    public Func<AdapterParameter, double> LearningRateFactor { get; init; } = static p => p.LearningRateFactor;

    /// <summary>Whether dropout of the base's own graph is live in training. Default true.</summary>
    public bool BaseDropout { get; init; } = true;

    /// <summary>
    /// False: frozen weights go to one file that the training and the evaluation model point into. True: each model
    /// holds them itself, up to 2 GiB, so that a page or app loads single files. Null (default): embedded up to 16 MiB,
    /// where holding them twice costs less than handing a second file to every session.
    /// </summary>
    public bool? EmbedWeights { get; init; }

    /// <summary>
    /// Whether the evaluation model also gives the model's predictions, such as logits, so that an app can generate
    /// with the weights as they are. Costs the head's product at every position. Default false.
    /// </summary>
    public bool EvaluationPredictions { get; init; }

    /// <summary>Facts of the base for the manifest; the opset and the number of parameters are filled in.</summary>
    public ArtifactBase Base { get; init; } = new();
}
