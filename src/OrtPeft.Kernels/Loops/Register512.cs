using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OrtPeft.Kernels.Loops;

/// <summary>Sixteen numbers: AVX-512.</summary>
internal readonly unsafe struct Register512(Vector512<float> numbers) : IRegister<Register512>
{
    private readonly Vector512<float> _numbers = numbers;

    /// <inheritdoc/>
    public static int Count => Vector512<float>.Count;

    /// <inheritdoc/>
    public static bool AreMany => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Load(float* from) => new(Vector512.Load(from));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Of(float number) => new(Vector512.Create(number));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 MultiplyAdd(Register512 a, Register512 b, Register512 c) =>
        new(Vector512.MultiplyAddEstimate(a._numbers, b._numbers, c._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Register512 Plus(float* numbers) => new(_numbers + Vector512.Load(numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* to) => _numbers.Store(to);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => Vector512.Sum(_numbers);
}
