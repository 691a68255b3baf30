using System.Runtime.CompilerServices;
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
    public static T Of<T>(T x)
        where T : struct, IRegister<T> => x * VectorExp.SigmoidOfNegative(-x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, out T y)
        where T : struct, IRegister<T> =>
        SigmoidUnit.Gradient(x, -x, T.Of(1), dY, out y);

    public static Term Of(Term x) => x * Sigmoid(x);

    public static ValueAndGradient WithGradient(Term x) => SigmoidUnit.WithGradient(x, x, static t => t);
}
