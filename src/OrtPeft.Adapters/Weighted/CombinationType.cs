using OrtPeft.Adapters.LinearAlgebra;

namespace OrtPeft.Adapters.Weighted;

/// <summary>A way to make one adapter of several, layer by layer.</summary>
/// <param name="Combine">From a layer's parts and the rank wanted, null for the way's own, to A [r, in] and B [out, r],
/// whose scale is 1.</param>
internal sealed record CombinationType(Func<LayerParts, WeightedCombination, (Matrix A, Matrix B)> Combine)
{
    /// <summary>Whether the rank is free to choose.</summary>
    public bool HasSvd { get; init; }

    /// <summary>Whether all adapters need one rank in a layer.</summary>
    public bool NeedsEqualRanks { get; init; }

    /// <summary>Whether it drops elements by density.</summary>
    public bool Prunes { get; init; }
}
