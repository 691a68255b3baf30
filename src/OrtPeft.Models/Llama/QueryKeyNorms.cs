namespace OrtPeft.Models.Llama;

/// <summary>The part of queries and keys that is normalised before they turn.</summary>
internal enum QueryKeyNorms
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Each head by itself, as Qwen3.</summary>
    OfHeads,

    /// <summary>All heads together, as OLMo 2.</summary>
    OfAll,
}
