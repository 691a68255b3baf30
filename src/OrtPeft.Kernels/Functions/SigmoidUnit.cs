using System.Runtime.CompilerServices;
using OrtPeft.Kernels.Loops;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Kernels.Functions;

/// <summary>The common part of activations of the form x·σ(z), z = z(x): the slope is σ + y·(1 − σ)·z′.</summary>
internal static class SigmoidUnit
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T minusZ, T slopeOfZ, T dY, out T y)
        where T : struct, IRegister<T>
    {
        var sigma = VectorExp.SigmoidOfNegative(minusZ);
        y = x * sigma;
        return dY * T.MultiplyAdd(y * (T.Of(1) - sigma), slopeOfZ, sigma);
    }

    public static ValueAndGradient WithGradient(Term x, Term z, Func<Term, Term> timesSlopeOfZ)
    {
        var sigma = Sigmoid(z);
        var y = x * sigma;
        return new(y, dY => dY * (sigma + timesSlopeOfZ(y - y * sigma)));
    }

    /// <summary>x and z of a product x·σ(z) whose sigmoid nothing else reads.</summary>
    public static (Value X, Value Z)? Of(Node node)
    {
        if (!node.Is("Mul"))
            return null;
        for (var side = 0; side < 2; side++)
        {
            if (node.Inputs[side] is { Producer: { } sigmoid, Uses: [_], IsGraphOutput: false }
                && sigmoid.Is("Sigmoid"))
                return (node.Inputs[1 - side]!, sigmoid.Inputs[0]!);
        }

        return null;
    }
}
