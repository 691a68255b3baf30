using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters;

/// <summary>
/// Where a model's adapters come from: a hash of the weights that were set, in their order. What training makes of them
/// does not count.
/// </summary>
internal sealed class WeightOrigin
{
    /// <summary><c>seed</c> while the weights are those that a seed gives.</summary>
    public string Text { get; private set; } = "seed";

    /// <summary>Notes weights that were set.</summary>
    /// <param name="weights">By name.</param>
    /// <param name="adapter">The adapter that came with them; empty for those that were there.</param>
    public void Add(IReadOnlyDictionary<string, Tensor> weights, string adapter = "")
    {
        var hash = new ContentHash();
        hash.Add($"{Text} {adapter}");
        foreach (var (tensor, value) in weights.OrderBy(static w => w.Key, StringComparer.Ordinal))
            hash.Add(tensor, value);
        Text = hash.Text;
    }
}
