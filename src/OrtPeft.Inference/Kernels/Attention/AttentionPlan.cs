namespace OrtPeft.Inference.Kernels.Attention;

/// <summary>Operands of attention, of which a piece is one head of one row of the batch.</summary>
internal unsafe struct AttentionPlan
{
    /// <summary>Queries, keys and values.</summary>
    public AttentionOperand Q, K, V;

    /// <summary>[batch, heads, queries, keys].</summary>
    public float* P;

    /// <summary>The result, or its gradient.</summary>
    public AttentionOperand O;

    /// <summary>Gradients, of the shapes of what they are of.</summary>
    public AttentionOperand DQ, DK, DV;

    /// <summary>The lengths.</summary>
    public int Queries, Keys, Width;

    /// <summary>How many heads there are.</summary>
    public long Heads;

    /// <summary>What queries are multiplied with.</summary>
    public float Scale;
}
