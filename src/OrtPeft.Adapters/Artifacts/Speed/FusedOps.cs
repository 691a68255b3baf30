namespace OrtPeft.Adapters.Artifacts.Speed;

/// <summary>
/// Operators of OrtPeft's own, which do at once what several standard ones do. Only graphs that are trained in the
/// process they are made in have them, where OrtPeft.Inference brings their kernels; files never do.
/// </summary>
public static class FusedOps
{
    /// <summary>Their domain.</summary>
    public const string Domain = "ortpeft";

    /// <summary>GELU's tanh form of a product and its bias: X, bias → Y.</summary>
    public const string Gelu = "Gelu";

    /// <summary>Its gradient: dY, X, bias → dX.</summary>
    public const string GeluGrad = "GeluGrad";

    /// <summary>Layer normalisation over the last axis: X, scale, bias, ε → Y.</summary>
    public const string LayerNorm = "LayerNorm";

    /// <summary>Its gradient: dY, X, scale, ε → dX.</summary>
    public const string LayerNormGrad = "LayerNormGrad";

    /// <summary>Softmax over the last of four axes: scores, added mask → P.</summary>
    public const string MaskedSoftmax = "MaskedSoftmax";

    /// <summary>Softmax's gradient: dP, P → dX.</summary>
    public const string SoftmaxGrad = "SoftmaxGrad";

    /// <summary>Softmax's gradient times a mask: dP, P, mask → dX.</summary>
    public const string MaskedSoftmaxGrad = "MaskedSoftmaxGrad";

    /// <summary>Attention: Q, K, V, added mask → O, P.</summary>
    public const string Attention = "Attention";

    /// <summary>Its gradient: dO, Q, K, V, P, what dS is multiplied with → dQ, dK, dV.</summary>
    public const string AttentionGrad = "AttentionGrad";

    /// <summary>Logits [n, vocabulary], targets [n, 1] → P [n, vocabulary], ln P[target] [n, 1].</summary>
    public const string CrossEntropy = "CrossEntropy";

    /// <summary>X [a, b, c, d] → Y [a, c, b, d].</summary>
    public const string SwapAxes = "SwapAxes";

    /// <summary>X [batch, positions, 3·heads·d], heads → 3 times [batch, heads, positions, d].</summary>
    public const string SplitHeads = "SplitHeads";

    /// <summary>3 times [batch, heads, positions, d] → Y [batch, positions, 3·heads·d].</summary>
    public const string MergeHeads = "MergeHeads";

    /// <summary>A product with a constant matrix: X, W packed (<see cref="Kernels.PackedMatrix"/>), its rows and
    /// columns → X·W.</summary>
    public const string MatMul = "MatMul";

    /// <summary>X, W packed, its rows and columns → X·Wᵀ.</summary>
    public const string MatMulTransposed = "MatMulTransposed";
}
