namespace OrtPeft.Adapters.Weighted;

/// <summary>The sum of all adapters at a layer.</summary>
/// <param name="Module">The layer's name.</param>
/// <param name="Parts">One for each adapter that has the layer.</param>
internal sealed record LayerParts(string Module, IReadOnlyList<LayerPart> Parts)
{
    public IReadOnlyList<double> Weights => [.. Parts.Select(static p => p.Weight)];

    public int LargestRank => Parts.Max(static p => p.A.Rows);

    public int SumOfRanks => Parts.Sum(static p => p.A.Rows);
}
