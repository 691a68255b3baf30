using System.Text.Json.Serialization;

namespace OrtPeft.Artifacts;

/// <summary>
/// Adafactor without relative step sizes, as transformers' <c>optim="adafactor"</c>: of a matrix's second moments only the
/// means of rows and columns are kept; updates are clipped to a root mean square of 1; the decay of the moments is
/// 1 − t^−0.8; no first moment. Weight decay (default 0) is decoupled.
/// </summary>
/// <seealso href="https://arxiv.org/abs/1804.04235">Shazeer and Stern, algorithm 4.</seealso>
public sealed record AdafactorConfig : OptimizerConfig
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override string Name => "adafactor";

    /// <summary>The largest root mean square of a tensor's update, before the rate. Above 0. Default 1.</summary>
    public double ClipThreshold { get; init; } = 1;

    /// <summary>Added to the squares of the gradients. Default 1e-30.</summary>
    public double Epsilon { get; init; } = 1e-30;

    /// <inheritdoc/>
    internal override IEnumerable<OptimizerConstant> Constants =>
    [
        .. base.Constants,
        new("clip-threshold", nameof(ClipThreshold), ClipThreshold, IsAboveZero: true),
        new("epsilon", nameof(Epsilon), Epsilon),
    ];
}
