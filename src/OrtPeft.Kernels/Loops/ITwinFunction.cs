namespace OrtPeft.Kernels.Loops;

/// <summary>Two functions of the same three numbers, for as many at once as a register holds.</summary>
internal interface ITwinFunction
{
    static abstract T Of<T>(T a, T b, T c, out T second)
        where T : struct, IRegister<T>;
}
