using System.Text.Json.Serialization;

namespace OrtPeft.Artifacts;

/// <summary>
/// Stochastic gradient descent as in PyTorch, with momentum and without dampening; weight decay (default 0) is added to the
/// gradient. One vector of state, none without momentum.
/// </summary>
/// <seealso href="https://pytorch.org/docs/stable/generated/torch.optim.SGD.html"/>
public sealed record SgdConfig : OptimizerConfig
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override string Name => "sgd";

    /// <summary>The decay of the sum of gradients that is followed, 0 to below 1. Default 0.9.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Whether the next momentum is looked ahead at (Nesterov). Default false.</summary>
    public bool Nesterov { get; init; }

    /// <inheritdoc/>
    internal override IEnumerable<OptimizerConstant> Constants =>
    [
        .. base.Constants,
        new("momentum", nameof(Momentum), Momentum, IsDecay: true),
        new("nesterov", nameof(Nesterov), Nesterov ? 1 : 0),
    ];
}
