namespace OrtPeft.Adapters;

/// <summary>The role of a trained tensor in its method, where optimisers treat it unlike others.</summary>
public enum ParameterRole
{
    /// <summary>Nothing that an optimiser asks about.</summary>
    None,

    /// <summary>B of LoRA on a linear layer, or its bias: LoRA+ gives it a higher rate.</summary>
    LoraB,

    /// <summary>A of LoRA on an embedding.</summary>
    EmbeddingA,

    /// <summary>B of LoRA on an embedding: LoRA+ gives it a higher rate, or embeddings' own.</summary>
    EmbeddingB,
}
