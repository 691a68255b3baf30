using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Kernels.Functions;

/// <summary>ReLU, max(x, 0), whose slope at 0 is 0.</summary>
internal readonly struct Relu : IActivation
{
    public static string Name => "Relu";

    public static Value? ArgumentOf(Node node) => node.Is("Relu") ? node.Inputs[0] : null;

    /// <summary>Of a number and NaN, MAXPS gives NaN where that stands second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Of(Vector512<float> x) => Vector512.MaxNative(Vector512<float>.Zero, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Gradient(Vector512<float> x, Vector512<float> dY, out Vector512<float> y)
    {
        y = Of(x);
        var isPositive = Vector512.GreaterThan(x, Vector512<float>.Zero);
        return Vector512.ConditionalSelect(isPositive, dY, Vector512<float>.Zero);
    }

    public static Term Of(Term x) => new(x.Builder, x.Builder.Op("Relu", x));

    public static ValueAndGradient WithGradient(Term x)
    {
        var y = Of(x);
        return new(y, dY => Where(y > 0, dY, 0));
    }
}
