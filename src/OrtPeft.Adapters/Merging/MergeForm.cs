namespace OrtPeft.Adapters.Merging;

/// <summary>
/// The fate of quantised layers and of those of half precision when an adapter is merged into them; float32 layers gain
/// the change.
/// </summary>
public enum MergeForm
{
    /// <summary>They are quantised anew by their own scheme: bits, block size, symmetry. Blocks that do not change stay
    /// bit for bit.</summary>
    Requantized,

    /// <summary>Quantised layers become float layers, exact and larger. Weights of half precision take the sum, rounded
    /// once.</summary>
    Float,

    /// <summary>As <see cref="Float"/>, but nothing is rounded: a model whose weights of half precision change becomes one
    /// of float32, in canonical form.</summary>
    Float32,

    /// <summary>They stay as they are, and LoRA's small float products are added beside all adapted
    /// layers.</summary>
    Branches,
}
