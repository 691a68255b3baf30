namespace OrtPeft.Models;

/// <summary>
/// MLPs among which a router chooses for each token, in place of one MLP per layer. Immutable.
/// </summary>
/// <seealso href="https://arxiv.org/abs/1701.06538">Shazeer et al., sparsely-gated mixtures of experts.</seealso>
public sealed record ExpertMixture
{
    /// <summary>How many experts a layer has, from 1.</summary>
    public required int Count { get; init; }

    /// <summary><c>num_experts_per_tok</c>: how many of them a token goes through, at most all.</summary>
    public required int PerToken { get; init; }

    /// <summary>The width inside an expert.</summary>
    public required int InnerSize { get; init; }

    /// <summary>
    /// <c>norm_topk_prob</c>: whether what a token's experts count adds up to 1. Default false.
    /// </summary>
    public bool IsNormalized { get; init; }

    /// <summary>
    /// <c>shared_expert_intermediate_size</c>: the width inside an expert that every token goes through; null (default)
    /// is none.
    /// </summary>
    public int? SharedInnerSize { get; init; }

    /// <summary>The layers that have one MLP; null (default) is none.</summary>
    public LayerSet? DenseLayers { get; init; }
}
