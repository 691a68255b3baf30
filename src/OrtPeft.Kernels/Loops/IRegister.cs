namespace OrtPeft.Kernels.Loops;

/// <summary>
/// A vector register, as wide as the processor has it: loops over it are written once and compiled for each width.
/// Short ones read and write sixteen numbers at once instead, which .NET splits where registers are narrower.
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

    /// <summary>Number by number.</summary>
    static abstract T operator +(T a, T b);

    /// <inheritdoc cref="op_Addition"/>
    static abstract T operator -(T a, T b);

    /// <inheritdoc cref="op_Addition"/>
    static abstract T operator *(T a, T b);

    /// <summary>Each with the other sign.</summary>
    static abstract T operator -(T a);

    /// <summary>a·b + c, rounded once where the processor can.</summary>
    static abstract T MultiplyAdd(T a, T b, T c);

    /// <summary>The smaller of each two; where one is NaN, on x86 the second.</summary>
    static abstract T Min(T a, T b);

    /// <summary>The larger of each two; where one is NaN, on x86 the second.</summary>
    static abstract T Max(T a, T b);

    /// <summary>Each without its sign.</summary>
    static abstract T Abs(T a);

    /// <summary>x where a is less than b, else y.</summary>
    static abstract T WhereLess(T a, T b, T x, T y);

    /// <summary>2ⁿ of whole numbers from −126 to 127.</summary>
    static abstract T PowerOfTwo(T n);

    /// <summary>a·2ⁿ of such n.</summary>
    static abstract T Scale(T a, T n);

    /// <summary>1/a, of numbers whose reciprocal is normal or nearly so, to about one unit in the last place.</summary>
    static abstract T Reciprocal(T a);

    /// <summary>Puts the numbers into memory.</summary>
    void Store(float* to);

    /// <summary>Puts the numbers into memory past the caches, at a multiple of the register's size.</summary>
    void Stream(float* to);

    /// <summary>The sum of the numbers.</summary>
    float Sum();
}
