namespace OrtPeft.Adapters.Modules;

/// <summary>An adapter that a layer has in the graph as it was given.</summary>
internal enum PresentAdapter
{
    /// <summary>None.</summary>
    None,

    /// <summary>LoRA's products, which only add to what the layer makes.</summary>
    Lora,

    /// <summary>One that does more, or that the graph does not show.</summary>
    Other,
}
