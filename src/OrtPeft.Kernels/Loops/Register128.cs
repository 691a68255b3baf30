using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace OrtPeft.Kernels.Loops;

/// <summary>Four numbers: ARM's registers, and SSE's.</summary>
internal readonly unsafe struct Register128(Vector128<float> numbers) : IRegister<Register128>
{
    private const int ExponentBias = 127;
    private const int MantissaBits = 23;

    private readonly Vector128<float> _numbers = numbers;

    /// <inheritdoc/>
    public static int Count => Vector128<float>.Count;

    /// <inheritdoc/>
    public static bool AreMany => AdvSimd.IsSupported;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Load(float* from) => new(Vector128.Load(from));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Of(float number) => new(Vector128.Create(number));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator +(Register128 a, Register128 b) => new(a._numbers + b._numbers);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator -(Register128 a, Register128 b) => new(a._numbers - b._numbers);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator *(Register128 a, Register128 b) => new(a._numbers * b._numbers);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator -(Register128 a) => new(-a._numbers);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 MultiplyAdd(Register128 a, Register128 b, Register128 c) =>
        new(Vector128.MultiplyAddEstimate(a._numbers, b._numbers, c._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Min(Register128 a, Register128 b) => new(Vector128.MinNative(a._numbers, b._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Max(Register128 a, Register128 b) => new(Vector128.MaxNative(a._numbers, b._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Abs(Register128 a) => new(Vector128.Abs(a._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 WhereLess(Register128 a, Register128 b, Register128 x, Register128 y) => new(
        Vector128.ConditionalSelect(Vector128.LessThan(a._numbers, b._numbers), x._numbers, y._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 PowerOfTwo(Register128 n) => new(Vector128.ShiftLeft(
        Vector128.ConvertToInt32Native(n._numbers) + Vector128.Create(ExponentBias), MantissaBits).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Scale(Register128 a, Register128 n) => a * PowerOfTwo(n);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Reciprocal(Register128 a) => new(Vector128<float>.One / a._numbers);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* to) => _numbers.Store(to);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Stream(float* to) => _numbers.StoreAlignedNonTemporal(to);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => Vector128.Sum(_numbers);
}
