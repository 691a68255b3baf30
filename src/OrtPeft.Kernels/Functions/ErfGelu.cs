using System.Runtime.CompilerServices;
using OrtPeft.Kernels.Loops;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Kernels.Functions;

/// <summary>GELU, x·Φ(x) with Φ(x) = ½·(1 + erf(x/√2)); the slope is Φ + x·φ, with the density φ = Φ′.</summary>
/// <seealso href="https://arxiv.org/abs/1606.08415">Hendrycks and Gimpel, GELU, section 2.</seealso>
internal readonly struct ErfGelu : IActivation
{
    public static string Name => "ErfGelu";

    public static Value? ArgumentOf(Node node) =>
        node.Is("Gelu") && node.Attributes.String("approximate", "none") == "none" ? node.Inputs[0] : null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x)
        where T : struct, IRegister<T> => x * VectorNormal.Of(x, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, out T y)
        where T : struct, IRegister<T>
    {
        var phi = VectorNormal.Of(x, out var density);
        y = x * phi;
        return dY * T.MultiplyAdd(x, density, phi);
    }

    public static Term Of(Term x) => new(x.Builder, x.Builder.Op("Gelu", x));

    /// <summary>The gradient computes Φ again: nothing is kept for it but x.</summary>
    public static ValueAndGradient WithGradient(Term x) => new(Of(x), dY =>
    {
        var phi = 0.5 * Erf(x * Math.Sqrt(0.5)) + 0.5;
        return dY * (phi + x * (1 / Math.Sqrt(2 * Math.PI) * Exp(-0.5 * (x * x))));
    });
}
