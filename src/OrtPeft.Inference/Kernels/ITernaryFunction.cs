using System.Numerics;

namespace OrtPeft.Inference.Kernels;

/// <summary>A function of three numbers, for as many at once as the processor's vectors hold.</summary>
internal interface ITernaryFunction
{
    static abstract Vector<float> Of(Vector<float> a, Vector<float> b, Vector<float> c);
}
