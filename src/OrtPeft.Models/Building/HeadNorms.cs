namespace OrtPeft.Models.Building;

/// <summary>Normalisations of queries and keys.</summary>
/// <param name="Query">The queries'.</param>
/// <param name="Key">The keys'.</param>
internal sealed record HeadNorms(IModule Query, IModule Key)
{
    /// <summary>The weights of both.</summary>
    public IEnumerable<WeightSpec> Weights => [.. Query.Weights, .. Key.Weights];
}
