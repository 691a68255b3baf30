namespace OrtPeft.Inference.Kernels.Attention;

/// <summary>Operands of attention, of which a piece is one head of one row of the batch.</summary>
internal unsafe struct AttentionPlan
{
    /// <summary>[batch, heads, queries, d] and [batch, heads, keys, d].</summary>
    public float* Q, K, V;

    /// <summary>[batch, heads, queries, keys].</summary>
    public float* P;

    /// <summary>The result [batch, heads, queries, d], or its gradient.</summary>
    public float* O;

    /// <summary>Gradients, of the shapes of what they are of.</summary>
    public float* DQ, DK, DV;

    /// <summary>The lengths.</summary>
    public int Queries, Keys, Width;
}
