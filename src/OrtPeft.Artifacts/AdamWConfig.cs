using System.Text.Json.Serialization;

namespace OrtPeft.Artifacts;

/// <summary>
/// AdamW as in PyTorch: decoupled weight decay (default 0.01), bias correction.
/// </summary>
/// <seealso href="https://arxiv.org/abs/1711.05101">Loshchilov and Hutter, algorithm 2.</seealso>
/// <seealso href="https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html"/>
public sealed record AdamWConfig : OptimizerConfig
{
    /// <summary>PyTorch's constants.</summary>
    public AdamWConfig() => WeightDecay = 0.01;

    /// <inheritdoc/>
    [JsonIgnore]
    public override string Name => "adamw_torch";

    /// <summary>The decay of the first moment, 0 to below 1. Default 0.9.</summary>
    [JsonRequired]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>The decay of the second moment, 0 to below 1. Default 0.999.</summary>
    [JsonRequired]
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the square root of the second moment. Default 1e-8.</summary>
    [JsonRequired]
    public double Epsilon { get; init; } = 1e-8;

    /// <inheritdoc/>
    internal override IEnumerable<OptimizerConstant> Constants =>
    [
        .. base.Constants,
        new("beta1", nameof(Beta1), Beta1, IsDecay: true),
        new("beta2", nameof(Beta2), Beta2, IsDecay: true),
        new(nameof(Epsilon), nameof(Epsilon), Epsilon),
    ];
}
