namespace OrtPeft.Adapters.Merging;

/// <summary>What becomes of quantised layers when an adapter is merged into them; float layers gain the change.</summary>
public enum MergeForm
{
    /// <summary>They are quantised anew by their own scheme: bits, block size, symmetry. Blocks that do not change stay
    /// bit for bit.</summary>
    Requantized,

    /// <summary>They become float layers, exact and larger.</summary>
    Float,

    /// <summary>They stay as they are, and LoRA's small float products are added beside all adapted
    /// layers.</summary>
    Branches,
}
