using System.Text.Json.Serialization;

namespace OrtPeft.Artifacts;

/// <summary>An optimiser and its constants; gradients are clipped by their global norm first. Immutable.</summary>
public abstract record OptimizerConfig
{
    /// <summary>Each step shrinks weights by learning rate × this.</summary>
    [JsonRequired]
    public double WeightDecay { get; init; }

    /// <summary>
    /// Gradients whose global norm exceeds this are scaled down to it; 0 turns clipping off. Default 1.
    /// </summary>
    [JsonRequired]
    public double MaxGradNorm { get; init; } = 1;

    /// <summary>The optimiser's name in transformers' <c>optim</c>.</summary>
    [JsonIgnore]
    public abstract string Name { get; }

    /// <summary>The numbers that are fixed for a run.</summary>
    [JsonIgnore]
    internal virtual IEnumerable<OptimizerConstant> Constants =>
    [
        new("weight-decay", nameof(WeightDecay), WeightDecay),
        new("max-grad-norm", nameof(MaxGradNorm), MaxGradNorm),
    ];
}
