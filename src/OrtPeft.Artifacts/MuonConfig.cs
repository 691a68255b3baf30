using System.Text.Json.Serialization;

namespace OrtPeft.Artifacts;

/// <summary>
/// Muon for matrices: the momentum is made orthogonal by five steps of a Newton–Schulz iteration, in float32, and decoupled
/// weight decay (default 0.1) is PyTorch's. By default a matrix's rate is scaled by 0.2·√max(rows, columns), so that AdamW's
/// rates fit. Parameters of one axis are moved by AdamW with <see cref="Beta1"/> and <see cref="Beta2"/>. One vector of
/// state, and another for parameters of one axis.
/// </summary>
/// <seealso href="https://pytorch.org/docs/stable/generated/torch.optim.Muon.html"/>
/// <seealso href="https://arxiv.org/abs/2502.16982">Liu et al., Muon is Scalable for LLM Training, section 2.2.</seealso>
public sealed record MuonConfig : OptimizerConfig
{
    /// <summary>PyTorch's constants.</summary>
    public MuonConfig() => WeightDecay = 0.1;

    /// <inheritdoc/>
    [JsonIgnore]
    public override string Name => "muon";

    /// <summary>The decay of the momentum, 0 to below 1. Default 0.95.</summary>
    public double Momentum { get; init; } = 0.95;

    /// <summary>Whether the next momentum is looked ahead at (Nesterov). Default true.</summary>
    public bool Nesterov { get; init; } = true;

    /// <summary>Whether rates are scaled as PyTorch's <c>adjust_lr_fn="original"</c> has it, by √max(1, rows/columns), and
    /// not by 0.2·√max(rows, columns), its <c>"match_rms_adamw"</c>. Default false.</summary>
    public bool OriginalRate { get; init; }

    /// <summary>AdamW's first decay, for parameters of one axis, 0 to below 1. Default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's second decay, for parameters of one axis, 0 to below 1. Default 0.999.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>AdamW's ε, for parameters of one axis. Default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <inheritdoc/>
    internal override IEnumerable<OptimizerConstant> Constants =>
    [
        .. base.Constants,
        new("momentum", nameof(Momentum), Momentum, IsDecay: true),
        new("nesterov", nameof(Nesterov), Nesterov ? 1 : 0),
        new("muon-original-rate", nameof(OriginalRate), OriginalRate ? 1 : 0),
        new("beta1", nameof(Beta1), Beta1, IsDecay: true),
        new("beta2", nameof(Beta2), Beta2, IsDecay: true),
        new("epsilon", nameof(Epsilon), Epsilon),
    ];
}
