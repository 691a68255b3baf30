namespace OrtPeft.Kernels.Loops;

/// <summary>
/// A vector register, as wide as the processor has it. Loops whose results stay in registers are written for each
/// width; others read and write sixteen numbers at once, which .NET splits where registers are narrower.
/// </summary>
/// <typeparam name="T">The register itself.</typeparam>
internal unsafe interface IRegister<T>
    where T : struct, IRegister<T>
{
    /// <summary>Numbers of a register.</summary>
    static abstract int Count { get; }

    /// <summary>Whether the processor has 32 of them; else 16.</summary>
    static abstract bool AreMany { get; }

    /// <summary>Numbers from memory.</summary>
    static abstract T Load(float* from);

    /// <summary>One number everywhere.</summary>
    static abstract T Of(float number);

    /// <summary>a·b + c, rounded once where the processor can.</summary>
    static abstract T MultiplyAdd(T a, T b, T c);

    /// <summary>Adds the numbers of memory.</summary>
    T Plus(float* numbers);

    /// <summary>Puts the numbers into memory.</summary>
    void Store(float* to);

    /// <summary>The sum of the numbers.</summary>
    float Sum();
}
