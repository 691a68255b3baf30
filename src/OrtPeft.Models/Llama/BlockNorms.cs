namespace OrtPeft.Models.Llama;

/// <summary>Where a block normalises.</summary>
internal enum BlockNorms
{
    /// <summary>The norms before attention and MLP.</summary>
    Before,

    /// <summary>The norms of what they add, as in OLMo 2.</summary>
    After,

    /// <summary>Both, as Gemma 2.</summary>
    Around,
}
