using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;

namespace OrtPeft.Compilation.Artifacts;

/// <summary>The choices made when artifacts are written, whatever runs them.</summary>
public sealed record ArtifactSettings
{
    /// <summary>The rate that the web API trains with: it has no way to set one.</summary>
    public const double WebLearningRate = 0.001;

    /// <summary>The optimiser's constants, which become part of its model. AdamW's defaults by default.</summary>
    public AdamWConfig Optimizer { get; init; } = new();

    /// <summary>
    /// The factor on a parameter's learning rate; the method's own factor by default. LoRA+ is such a choice; ONNX
    /// Runtime's training API has one rate for all, and anything but 1 is refused for it.
    /// </summary>
    public Func<AdapterParameter, double> LearningRateFactor { get; init; } = static p => p.LearningRateFactor;

    /// <summary>
    /// Whether weight decay leaves a parameter as it is; none by default. ONNX Runtime's training API has one decay for
    /// all, and such a parameter is refused for it.
    /// </summary>
    public Func<AdapterParameter, bool> IsExemptFromDecay { get; init; } = static _ => false;

    /// <summary>Whether dropout of the base's own graph is live in training. Default true.</summary>
    public bool BaseDropout { get; init; } = true;

    /// <summary>
    /// Where the base's weights stand. Null (default) leaves it to the runtime: the training API has them in the
    /// checkpoint; for plain sessions they are embedded up to 16 MiB, where holding them twice costs less than handing
    /// a second file to every session, and in a file above.
    /// </summary>
    public FrozenWeights? Frozen { get; init; }

    /// <summary>
    /// For ONNX Runtime's training API alone: the learning rate to train with where none can be set. The optimiser's
    /// model multiplies the rate it is given by this over <see cref="WebLearningRate"/>. Positive; null (default)
    /// leaves the rate as given.
    /// </summary>
    public double? FoldedLearningRate { get; init; }

    /// <summary>
    /// Whether the evaluation model also gives the model's predictions, such as logits, after the loss, so that an app
    /// can generate with the weights as they are. Costs the head's product at every position. Default false.
    /// </summary>
    public bool EvaluationPredictions { get; init; }

    /// <summary>Operators that the provider has no kernel for and others are to stand in for: <c>LogSoftmax</c>,
    /// <c>ConstantOfShape</c>, <c>Gelu</c>, <c>Sign</c>, and <c>ReduceSum(double)</c>, sums of the loss and of gradients' norms,
    /// which float32 then takes. Default empty.</summary>
    public IReadOnlyList<string> LackedOperators { get; init; } = [];

    /// <summary>Whether training masks positions without a label instead of leaving them out, as
    /// <see cref="TrainingGraphOptions.MasksLabels"/> says. Default false.</summary>
    public bool MasksLabels { get; init; }

    /// <summary>Facts of the base for the manifest; the opset and the number of parameters are filled in.</summary>
    public ArtifactBase Base { get; init; } = new();

    /// <summary>The manifest's entry for a folded rate; null where there is none.</summary>
    internal LearningRateFolding? Folding =>
        FoldedLearningRate is { } rate ? new LearningRateFolding(WebLearningRate, rate) : null;
}
