using OrtPeft.Onnx;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>What a <c>Gemm</c> computes.</summary>
internal static class Gemms
{
    public static bool Forms(Node node, bool transA, bool transB) => node.Is("Gemm")
        && (node.Attributes.Int("transA", 0) != 0) == transA && (node.Attributes.Int("transB", 0) != 0) == transB;

    /// <summary>Whether it adds nothing.</summary>
    public static bool IsBare(Node gemm) => gemm.Input(2) is null;

    public static float Alpha(Node gemm) => gemm.Attributes.Float("alpha", 1);
}
