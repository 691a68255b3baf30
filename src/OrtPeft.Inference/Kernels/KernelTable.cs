using OrtPeft.Adapters.Artifacts.Speed;
using OrtPeft.Inference.Kernels.Attention;
using OrtPeft.Inference.Kernels.Products;
using OrtPeft.Onnx;

namespace OrtPeft.Inference.Kernels;

/// <summary>The operators of OrtPeft's own, a row each.</summary>
internal static class KernelTable
{
    public static IReadOnlyList<Kernel> All { get; } =
    [
        new(FusedOps.Gelu, 2, GeluKernel.Forward) { RunsInPlace = true },
        new(FusedOps.GeluGrad, 3, GeluKernel.Backward) { RunsInPlace = true },
        new(FusedOps.LayerNorm, 4, LayerNormKernel.Forward) { RunsInPlace = true },
        new(FusedOps.LayerNormGrad, 4, LayerNormKernel.Backward) { RunsInPlace = true },
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
                ElementType.Float,
            ],
            [1, 2, 3],
            AttentionKernel.Backward),
        new(
            FusedOps.MatMul,
            [ElementType.Float, ElementType.Float, ElementType.Int64],
            [Kernel.OfOwnShape],
            MatMulKernel.Forward),
        new(
            FusedOps.MatMulTransposed,
            [ElementType.Float, ElementType.Float, ElementType.Int64],
            [Kernel.OfOwnShape],
            MatMulKernel.Transposed),
    ];
}
