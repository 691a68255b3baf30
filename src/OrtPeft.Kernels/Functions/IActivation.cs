using System.Runtime.Intrinsics;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels.Functions;

/// <summary>An activation f: how graphs spell it, and what computes it and its gradient, in vectors and in standard
/// operators.</summary>
internal interface IActivation
{
    /// <summary>What operators are called after it.</summary>
    static abstract string Name { get; }

    /// <summary>The x of f(x), if the node ends nodes that compute that and that nothing else reads.</summary>
    static abstract Value? ArgumentOf(Node node);

    /// <summary>f(x).</summary>
    static abstract Vector512<float> Of(Vector512<float> x);

    /// <summary>dY·f′(x), and y = f(x) from the same steps.</summary>
    static abstract Vector512<float> Gradient(Vector512<float> x, Vector512<float> dY, out Vector512<float> y);

    /// <summary>f(x) where nothing asks for the gradient.</summary>
    static abstract Term Of(Term x);

    /// <summary>f(x) with the steps that its gradient needs as well.</summary>
    static abstract ValueAndGradient WithGradient(Term x);
}
