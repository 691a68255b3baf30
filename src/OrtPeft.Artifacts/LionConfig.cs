using System.Text.Json.Serialization;

namespace OrtPeft.Artifacts;

/// <summary>
/// Lion: steps of one size, in the direction of the sign of an interpolated moment, with decoupled weight decay (default
/// 0). One vector of state, half of AdamW's. Rates are 3 to 10 times smaller than AdamW's.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2302.06675">Chen et al., algorithm 2.</seealso>
public sealed record LionConfig : OptimizerConfig
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override string Name => "lion_32bit";

    /// <summary>The moment's part in the direction, 0 to below 1. Default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>The decay of the moment, 0 to below 1. Default 0.99.</summary>
    public double Beta2 { get; init; } = 0.99;

    /// <inheritdoc/>
    internal override IEnumerable<OptimizerConstant> Constants =>
    [
        .. base.Constants,
        new("beta1", nameof(Beta1), Beta1, IsDecay: true),
        new("beta2", nameof(Beta2), Beta2, IsDecay: true),
    ];
}
