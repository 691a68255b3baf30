namespace OrtPeft.Kernels.Loops;

/// <summary>A function of three numbers, for as many at once as a register holds.</summary>
internal interface ITernaryFunction
{
    static abstract T Of<T>(T a, T b, T c)
        where T : struct, IRegister<T>;
}
