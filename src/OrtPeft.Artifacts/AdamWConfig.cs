using System.Text.Json.Serialization;

namespace OrtPeft.Artifacts;

/// <summary>
/// AdamW as in PyTorch: decoupled weight decay, bias correction; gradients clipped by their global norm first.
/// </summary>
/// <seealso href="https://arxiv.org/abs/1711.05101">Loshchilov and Hutter, algorithm 2.</seealso>
/// <seealso href="https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html"/>
public sealed record AdamWConfig
{
    /// <summary>The decay of the first moment, 0 to below 1. Default 0.9.</summary>
    [JsonRequired]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>The decay of the second moment, 0 to below 1. Default 0.999.</summary>
    [JsonRequired]
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the square root of the second moment. Default 1e-8.</summary>
    [JsonRequired]
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Each step shrinks weights by learning rate × this. Default 0.01.</summary>
    [JsonRequired]
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>
    /// Gradients whose global norm exceeds this are scaled down to it; 0 turns clipping off. Default 1.
    /// </summary>
    [JsonRequired]
    public double MaxGradNorm { get; init; } = 1;
}
