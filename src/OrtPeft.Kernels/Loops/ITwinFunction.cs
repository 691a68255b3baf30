using System.Runtime.Intrinsics;

namespace OrtPeft.Kernels.Loops;

/// <summary>Two functions of the same three numbers, for as many at once as the processor's vectors hold.</summary>
internal interface ITwinFunction
{
    static abstract Vector512<float> Of(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, out Vector512<float> second);
}
