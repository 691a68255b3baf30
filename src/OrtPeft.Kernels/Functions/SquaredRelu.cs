using System.Runtime.CompilerServices;
using OrtPeft.Kernels.Loops;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Functions;

/// <summary>Squared ReLU, max(x, 0)², with the slope 2·max(x, 0).</summary>
/// <seealso href="https://arxiv.org/abs/2109.08668">So et al., Primer, section 3.1: squared ReLU.</seealso>
internal readonly struct SquaredRelu : IActivation
{
    public static string Name => "SquaredRelu";

    public static Value? ArgumentOf(Node node) =>
        RootOf(node) is { Producer: { } relu, IsGraphOutput: false } root && relu.Is("Relu")
            && root.Uses.All(use => use.Node == node) ? relu.Inputs[0] : null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x)
        where T : struct, IRegister<T>
    {
        var root = Relu.Of(x);
        return root * root;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, out T y)
        where T : struct, IRegister<T>
    {
        var root = Relu.Of(x);
        y = root * root;
        return dY * (root + root);
    }

    public static Term Of(Term x) => WithGradient(x).Y;

    public static ValueAndGradient WithGradient(Term x)
    {
        var root = Relu.Of(x);
        return new(root * root, dY => dY * (2 * root));
    }

    /// <summary>r of r² or r·r.</summary>
    private static Value? RootOf(Node square)
    {
        if (square.Is("Mul"))
            return square.Inputs[0] == square.Inputs[1] ? square.Inputs[0] : null;
        return square.Is("Pow") && square.Inputs[1]!.Constant is { Count: 1 } power && IsTwo(power)
            && square.Output.Shape?.Rank == square.Inputs[0]!.Shape?.Rank ? square.Inputs[0] : null;
    }

    private static bool IsTwo(Tensor power) => power.Type switch
    {
        ElementType.Int64 or ElementType.Int32 => power.ToInt64()[0] == 2,
        var type => type.IsFloating() && power.ToFloat32()[0] == 2,
    };
}
