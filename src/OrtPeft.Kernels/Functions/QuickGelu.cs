using System.Runtime.CompilerServices;
using OrtPeft.Kernels.Loops;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Kernels.Functions;

/// <summary>GELU's sigmoid form, x·σ(1.702·x).</summary>
/// <seealso href="https://arxiv.org/abs/1606.08415">Hendrycks and Gimpel, GELU, section 2: the sigmoid form.</seealso>
internal readonly struct QuickGelu : IActivation
{
    private const double Factor = 1.702;

    public static string Name => "QuickGelu";

    public static Value? ArgumentOf(Node node) =>
        SigmoidUnit.Of(node) is var (x, z) && z is { Producer: { } product, Uses: [_], IsGraphOutput: false }
            && product.Is("Mul") && (IsProduct(product, x, 0) || IsProduct(product, x, 1)) ? x : null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x)
        where T : struct, IRegister<T> => x * VectorExp.SigmoidOfNegative(x * T.Of((float)-Factor));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, out T y)
        where T : struct, IRegister<T> =>
        SigmoidUnit.Gradient(x, x * T.Of((float)-Factor), T.Of((float)Factor), dY, out y);

    public static Term Of(Term x) => x * Sigmoid(x * Factor);

    public static ValueAndGradient WithGradient(Term x) =>
        SigmoidUnit.WithGradient(x, x * Factor, static t => t * Factor);

    /// <summary>Whether a product is of x, on one side, and the factor.</summary>
    private static bool IsProduct(Node product, Value x, int side) =>
        product.Inputs[side] == x && product.Inputs[1 - side]!.Constant is { Count: 1 } factor
            && factor.ToFloat32()[0] == (float)Factor && product.Output.Shape?.Rank == x.Shape?.Rank;
}
