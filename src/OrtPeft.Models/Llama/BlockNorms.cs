namespace OrtPeft.Models.Llama;

/// <summary>Where a block normalises.</summary>
internal enum BlockNorms
{
    /// <summary>What attention and MLP read.</summary>
    Before,

    /// <summary>What they add, as OLMo 2.</summary>
    After,

    /// <summary>Both, as Gemma 2.</summary>
    Around,
}
