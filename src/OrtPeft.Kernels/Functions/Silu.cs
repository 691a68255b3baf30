using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OrtPeft.Kernels.Loops;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Kernels.Functions;

/// <summary>SiLU or Swish, x·σ(x).</summary>
/// <seealso href="https://arxiv.org/abs/1606.08415">Hendrycks and Gimpel, GELU, section 2: SiLU.</seealso>
internal readonly struct Silu : IActivation
{
    public static string Name => "Silu";

    public static Value? ArgumentOf(Node node) =>
        SigmoidUnit.Of(node) is var (x, z) && x == z ? x : null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Of(Vector512<float> x) => x * VectorExp.SigmoidOfNegative(-x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Gradient(Vector512<float> x, Vector512<float> dY, out Vector512<float> y) =>
        SigmoidUnit.Gradient(x, -x, Vector512<float>.One, dY, out y);

    public static Term Of(Term x) => x * Sigmoid(x);

    public static ValueAndGradient WithGradient(Term x) => SigmoidUnit.WithGradient(x, x, static t => t);
}
