using System.Text.Json.Serialization;

namespace OrtPeft.Artifacts;

/// <summary>
/// Schedule-free AdamW: gradients are taken between an iterate and the running average of all iterates, and the average is
/// what is evaluated and saved, so that no decay of the rate is needed: the rate is constant, after a warm-up if there is
/// one. Three vectors of state. Weight decay (default 0) is taken at the point of the gradient.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2405.15682">Defazio et al., The Road Less Scheduled, algorithm 1.</seealso>
public sealed record ScheduleFreeAdamWConfig : OptimizerConfig
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override string Name => "schedule_free_adamw";

    /// <summary>The share of the average in the point of the gradient, 0 to below 1. Default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>The decay of the second moment, 0 to below 1. Default 0.999.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the square root of the second moment. Default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <inheritdoc/>
    internal override IEnumerable<OptimizerConstant> Constants =>
    [
        .. base.Constants,
        new("beta1", nameof(Beta1), Beta1, IsDecay: true),
        new("beta2", nameof(Beta2), Beta2, IsDecay: true),
        new("epsilon", nameof(Epsilon), Epsilon),
    ];
}
