namespace OrtPeft.Adapters.Weighted;

/// <summary>How several LoRA adapters become one, with the arguments of HF PEFT's add_weighted_adapter.</summary>
/// <seealso href="https://huggingface.co/docs/peft/developer_guides/model_merging"/>
public sealed record WeightedCombination
{
    /// <summary>
    /// The way: <c>svd</c> (default), <c>cat</c>, <c>linear</c>, <c>ties</c>, <c>dare_linear</c>, <c>dare_ties</c>,
    /// <c>magnitude_prune</c>, or one of the last four followed by <c>_svd</c>. A single adapter is always
    /// <c>linear</c>, as in HF PEFT.
    /// </summary>
    public string CombinationType { get; init; } = "svd";

    /// <summary>All ways by name.</summary>
    public static IReadOnlyList<string> CombinationTypes => Weighted.CombinationTypes.Names;

    /// <summary>The new adapter's rank, at least 1, for <c>svd</c> and <c>…_svd</c>; null (default) takes the largest
    /// rank of the adapters.</summary>
    public int? SvdRank { get; init; }

    /// <summary>The part of each tensor that is kept, above 0 to 1; the ways that drop elements need it. Null (default)
    /// for the others.</summary>
    public double? Density { get; init; }

    /// <summary>
    /// The vote on an element's sign in TIES: <c>total</c> (default), the sum of the values, or <c>frequency</c>, the
    /// number of adapters.
    /// </summary>
    public string MajoritySignMethod { get; init; } = "total";

    /// <summary>Fixes what DARE drops. Default 0.</summary>
    public long Seed { get; init; }
}
