using OrtPeft.Kernels.Loops;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels.Functions;

/// <summary>An activation f: how graphs spell it, and what computes it and its gradient, in vectors and in standard
/// operators.</summary>
internal interface IActivation
{
    /// <summary>The activation's name, from which its operators get theirs.</summary>
    static abstract string Name { get; }

    /// <summary>The x of f(x), if the node ends nodes that compute that and that nothing else reads.</summary>
    static abstract Value? ArgumentOf(Node node);

    /// <summary>f(x).</summary>
    static abstract T Of<T>(T x)
        where T : struct, IRegister<T>;

    /// <summary>dY·f′(x), and y = f(x) from the same steps.</summary>
    static abstract T Gradient<T>(T x, T dY, out T y)
        where T : struct, IRegister<T>;

    /// <summary>f(x) where nothing asks for the gradient.</summary>
    static abstract Term Of(Term x);

    /// <summary>f(x) with the steps that its gradient needs as well.</summary>
    static abstract ValueAndGradient WithGradient(Term x);
}
