using OrtPeft.Kernels.Attention;
using OrtPeft.Kernels.LowRank;
using OrtPeft.Kernels.Operators;
using OrtPeft.Kernels.Products;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels;

/// <summary>The operators of OrtPeft's own, a row each.</summary>
internal static class KernelTable
{
    public static IReadOnlyList<Kernel> All { get; } =
    [
        new(FusedOps.Gelu, 2, GeluKernel.Forward) { RunsInPlace = true },
        new(FusedOps.GeluGrad, 3, GeluKernel.Backward) { RunsInPlace = true },
        new(FusedOps.LayerNorm, 4, LayerNormKernel.Forward) { RunsInPlace = true },
        new(FusedOps.LayerNormGrad, 5, LayerNormKernel.Backward) { RunsInPlace = true, OptionalInputs = 1 },
        new(FusedOps.MaskedSoftmax, 2, SoftmaxKernel.Forward) { RunsInPlace = true },
        new(FusedOps.SoftmaxGrad, 2, SoftmaxKernel.Backward) { RunsInPlace = true },
        new(FusedOps.MaskedSoftmaxGrad, 3, SoftmaxKernel.Backward) { RunsInPlace = true },
        new(FusedOps.SwapAxes, [ElementType.Float], [Kernel.OfOwnShape], SwapAxesKernel.Run),
        new(
            FusedOps.SplitHeads,
            [ElementType.Float, ElementType.Int64],
            [Kernel.OfOwnShape, Kernel.OfOwnShape, Kernel.OfOwnShape],
            HeadsKernel.Split),
        new(
            FusedOps.MergeHeads,
            [ElementType.Float, ElementType.Float, ElementType.Float],
            [Kernel.OfOwnShape],
            HeadsKernel.Merge),
        new(FusedOps.CrossEntropy, [ElementType.Float, ElementType.Int64], [0, 1], CrossEntropyKernel.Run)
        {
            RunsInPlace = true,
        },
        new(
            FusedOps.Attention,
            [ElementType.Float, ElementType.Float, ElementType.Float, ElementType.Float],
            [0, Kernel.OfOwnShape],
            AttentionKernel.Forward),
        new(
            FusedOps.AttentionGrad,
            [
                ElementType.Float, ElementType.Float, ElementType.Float, ElementType.Float, ElementType.Float,
                ElementType.Float, ElementType.Float,
            ],
            [1, 2, 3],
            AttentionKernel.Backward),
        new(
            FusedOps.SelfAttention,
            [ElementType.Float, ElementType.Int64, ElementType.Float, ElementType.Float],
            [Kernel.OfOwnShape, Kernel.OfOwnShape],
            AttentionKernel.ForwardOfRows),
        new(
            FusedOps.SelfAttentionGrad,
            [
                ElementType.Float, ElementType.Float, ElementType.Int64, ElementType.Float, ElementType.Float,
                ElementType.Float, ElementType.Float,
            ],
            [1],
            AttentionKernel.BackwardOfRows),
        Product(FusedOps.MatMul, 1, 2, MatMulKernel.Forward) with { OptionalInputs = 2 },
        Product(FusedOps.MatMulTransposed, 1, 0, MatMulKernel.Transposed),
        Product(FusedOps.MatMulGelu, 2, 1, MatMulKernel.Gelu),
        Product(FusedOps.MatMulGeluGrad, 1, 2, MatMulKernel.GeluGradient),
        Product(FusedOps.MatMulOfStrips, 1, 3, MatMulKernel.ForwardOfStrips) with { OptionalInputs = 2 },
        Product(FusedOps.MatMulTransposedOfStrips, 1, 1, MatMulKernel.TransposedOfStrips),
        Product(FusedOps.MatMulGeluInStrips, 2, 1, MatMulKernel.GeluInStrips),
        Product(FusedOps.MatMulGeluGradInStrips, 1, 2, MatMulKernel.GeluGradientInStrips),
        Product(FusedOps.MatMulLora, 2, 5, MatMulKernel.Lora) with { OptionalInputs = 2 },
        Product(FusedOps.MatMulLoraGrad, 3, 4, MatMulKernel.LoraGradient),
        new(FusedOps.LowRankGrad, 2, LowRankKernel.Gradient) { Outputs = [Kernel.OfOwnShape] },
    ];

    /// <summary>A product with a packed matrix: X, W, its rows and columns, and more inputs.</summary>
    private static Kernel Product(string name, int outputs, int moreInputs, KernelBody run) => new(
        name,
        [ElementType.Float, ElementType.Float, ElementType.Int64, .. Enumerable.Repeat(ElementType.Float, moreInputs)],
        [.. Enumerable.Repeat(Kernel.OfOwnShape, outputs)],
        run);
}
