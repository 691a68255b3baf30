using System.Runtime.CompilerServices;
using OrtPeft.Kernels.Loops;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels.Functions;

/// <summary>GELU's tanh form, x·σ(z) with z = x·(a + b·x²): one transcendental function and no tanh.</summary>
/// <seealso href="https://arxiv.org/abs/1606.08415">Hendrycks and Gimpel, GELU, section 2: the tanh form.</seealso>
internal readonly struct TanhGelu : IActivation
{
    /// <summary>a = 2·√(2/π).</summary>
    private const double Linear = 1.5957691216057308;

    /// <summary>b = 2·√(2/π)·0.044715.</summary>
    private const double Cubic = 0.071354816272600248;

    public static string Name => "Gelu";

    public static Value? ArgumentOf(Node node) =>
        node.Is("Gelu") && node.Attributes.String("approximate", "none") == "tanh" ? node.Inputs[0] : null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x)
        where T : struct, IRegister<T> => x * VectorExp.SigmoidOfNegative(MinusZ(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, out T y)
        where T : struct, IRegister<T>
    {
        var slopeOfZ = T.MultiplyAdd(
            x * x, T.Of((float)(3 * Cubic)), T.Of((float)Linear));
        return SigmoidUnit.Gradient(x, MinusZ(x), slopeOfZ, dY, out y);
    }

    public static Term Of(Term x) => new(
        x.Builder, x.Builder.Op("Gelu", [x], NodeAttribute.Of("approximate", "tanh")));

    public static ValueAndGradient WithGradient(Term x)
    {
        var square = x * x;
        return SigmoidUnit.WithGradient(
            x, x * (Cubic * square + Linear), t => t * (3 * Cubic * square + Linear));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T MinusZ<T>(T x)
        where T : struct, IRegister<T> =>
        x * T.MultiplyAdd(x * x, T.Of((float)-Cubic), T.Of((float)-Linear));
}
