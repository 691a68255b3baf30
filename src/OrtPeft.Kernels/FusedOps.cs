using OrtPeft.Kernels.Layouts;

namespace OrtPeft.Kernels;

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

    /// <summary>Its gradient: dY, X, scale, ε and, which may be missing, what is added → dX.</summary>
    public const string LayerNormGrad = "LayerNormGrad";

    /// <summary>Softmax over the last of four axes: scores, added mask → P.</summary>
    public const string MaskedSoftmax = "MaskedSoftmax";

    /// <summary>Softmax's gradient: dP, P → dX.</summary>
    public const string SoftmaxGrad = "SoftmaxGrad";

    /// <summary>Softmax's gradient times a mask: dP, P, mask → dX.</summary>
    public const string MaskedSoftmaxGrad = "MaskedSoftmaxGrad";

    /// <summary>Attention: Q, K, V, added mask → O and, in an order of the kernels' own, P.</summary>
    public const string Attention = "Attention";

    /// <summary>Its gradient: dO, Q, K, V, P, added mask, what dS is multiplied with → dQ, dK, dV.</summary>
    public const string AttentionGrad = "AttentionGrad";

    /// <summary>Attention of queries, keys and values that lie together: X [batch, positions, 3·heads·d], heads, what
    /// queries are multiplied with, added mask → O [batch, positions, heads·d], P.</summary>
    public const string SelfAttention = "SelfAttention";

    /// <summary>Its gradient: dO, X, heads, what queries are multiplied with, P, added mask, what dS is multiplied with
    /// → dX.</summary>
    public const string SelfAttentionGrad = "SelfAttentionGrad";

    /// <summary>Logits [n, vocabulary], targets [n, 1] → P [n, vocabulary], ln P[target] [n, 1].</summary>
    public const string CrossEntropy = "CrossEntropy";

    /// <summary>X [a, b, c, d] → Y [a, c, b, d].</summary>
    public const string SwapAxes = "SwapAxes";

    /// <summary>X [batch, positions, 3·heads·d], heads → 3 times [batch, heads, positions, d].</summary>
    public const string SplitHeads = "SplitHeads";

    /// <summary>3 times [batch, heads, positions, d] → Y [batch, positions, 3·heads·d].</summary>
    public const string MergeHeads = "MergeHeads";

    /// <summary>A product with a constant matrix: X, W packed (<see cref="PackedMatrix"/>), its rows and
    /// columns, and, each of which may be missing, bias and addend → X·W + bias + addend.</summary>
    public const string MatMul = "MatMul";

    /// <summary>dY, W packed, its rows and columns → dY·Wᵀ.</summary>
    public const string MatMulTransposed = "MatMulTransposed";

    /// <summary>The MLP's first layer: X, W packed, its rows and columns, bias → GELU(X·W + bias), X·W.</summary>
    public const string MatMulGelu = "MatMulGelu";

    /// <summary>The gradient in front of its second: dY, W packed, its rows and columns, H, bias →
    /// (dY·Wᵀ)∘GELU′(H + bias).</summary>
    public const string MatMulGeluGrad = "MatMulGeluGrad";

    /// <summary><see cref="MatMul"/> of rows that a product has put in the order of strips: X, W packed, its rows and
    /// columns, a value of as many rows, and, each of which may be missing, bias and addend.</summary>
    public const string MatMulOfStrips = "MatMulOfStrips";

    /// <summary><see cref="MatMulTransposed"/> of such rows: dY, W packed, its rows and columns, a value of as many
    /// rows.</summary>
    public const string MatMulTransposedOfStrips = "MatMulTransposedOfStrips";

    /// <summary><see cref="MatMulGelu"/> whose first result is in the order of strips.</summary>
    public const string MatMulGeluInStrips = "MatMulGeluInStrips";

    /// <summary><see cref="MatMulGeluGrad"/> whose result is in the order of strips.</summary>
    public const string MatMulGeluGradInStrips = "MatMulGeluGradInStrips";

    /// <summary>A layer with LoRA: X, W packed, its rows and columns, A, B, α, and, each of which may be missing, bias
    /// and addend → X·W + α·U·Bᵀ + bias + addend, U = X·Aᵀ.</summary>
    public const string MatMulLora = "MatMulLora";

    /// <summary>Its gradient: dY, W packed, its rows and columns, U, A, B, α → dX = dY·Wᵀ + dU·A, dU = α·dY·B,
    /// dB = α·dYᵀ·U.</summary>
    public const string MatMulLoraGrad = "MatMulLoraGrad";

    /// <summary>The gradient of LoRA's A: dU, X → dA = dUᵀ·X.</summary>
    public const string LowRankGrad = "LowRankGrad";

    /// <summary>The largest rank that these take.</summary>
    public const int LargestRank = 64;
}
