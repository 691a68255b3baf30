using System.Runtime.CompilerServices;
using OrtPeft.Kernels.Loops;
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
    public static T Of<T>(T x)
        where T : struct, IRegister<T> => T.Max(default, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, out T y)
        where T : struct, IRegister<T>
    {
        y = Of(x);
        return T.WhereLess(default, x, dY, default);
    }

    public static Term Of(Term x) => new(x.Builder, x.Builder.Op("Relu", x));

    public static ValueAndGradient WithGradient(Term x)
    {
        var y = Of(x);
        return new(y, dY => Where(y > 0, dY, 0));
    }
}
