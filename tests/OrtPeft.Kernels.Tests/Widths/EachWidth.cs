using System.Runtime.Intrinsics.X86;
using OrtPeft.Kernels.Loops;

namespace OrtPeft.Kernels.Tests.Widths;

/// <summary>A function of one number, computed in registers of each width; those that are wider than the processor's are
/// split, but for AVX-512's own instructions.</summary>
internal static class EachWidth
{
    /// <summary>The results, one for each width.</summary>
    public static IReadOnlyList<float> Of<TFunction>(float x)
        where TFunction : ITernaryFunction =>
    [
        First<TFunction, Register128>(x),
        First<TFunction, Register256>(x),
        .. Avx512F.IsSupported ? [First<TFunction, Register512>(x)] : Array.Empty<float>(),
    ];

    private static unsafe float First<TFunction, T>(float x)
        where TFunction : ITernaryFunction
        where T : struct, IRegister<T>
    {
        var numbers = stackalloc float[T.Count];
        TFunction.Of(T.Of(x), default, default).Store(numbers);
        return numbers[0];
    }
}
