using System.Text.Json.Serialization;

namespace OrtPeft.Artifacts;

/// <summary>
/// AdamW whose moments are kept in 8 bits, as in bitsandbytes: blocks of 256 elements, each with its largest magnitude in
/// float32 and codes of the dynamic data type, rounded to the nearest. Two bytes of state per parameter and 1/32 more,
/// where AdamW has eight. Blocks lie in the vector of all parameters; bitsandbytes keeps tensors of up to 4,096 elements
/// in float32. Weight decay (default 0.01) is decoupled.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2110.02861">Dettmers et al., 8-bit Optimizers via Block-wise
/// Quantization.</seealso>
public sealed record AdamW8bitConfig : OptimizerConfig
{
    /// <summary>PyTorch's constants.</summary>
    public AdamW8bitConfig() => WeightDecay = 0.01;

    /// <inheritdoc/>
    [JsonIgnore]
    public override string Name => "adamw_8bit";

    /// <summary>The decay of the first moment, 0 to below 1. Default 0.9.</summary>
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
