using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OrtPeft.Kernels.Loops;

/// <summary>Eight numbers: AVX2.</summary>
internal readonly unsafe struct Register256(Vector256<float> numbers) : IRegister<Register256>
{
    private const int ExponentBias = 127;
    private const int MantissaBits = 23;

    private readonly Vector256<float> _numbers = numbers;

    /// <inheritdoc/>
    public static int Count => Vector256<float>.Count;

    /// <inheritdoc/>
    public static bool AreMany => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Load(float* from) => new(Vector256.Load(from));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Of(float number) => new(Vector256.Create(number));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator +(Register256 a, Register256 b) => new(a._numbers + b._numbers);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator -(Register256 a, Register256 b) => new(a._numbers - b._numbers);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator *(Register256 a, Register256 b) => new(a._numbers * b._numbers);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator -(Register256 a) => new(-a._numbers);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 MultiplyAdd(Register256 a, Register256 b, Register256 c) =>
        new(Vector256.MultiplyAddEstimate(a._numbers, b._numbers, c._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Min(Register256 a, Register256 b) => new(Vector256.MinNative(a._numbers, b._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Max(Register256 a, Register256 b) => new(Vector256.MaxNative(a._numbers, b._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Abs(Register256 a) => new(Vector256.Abs(a._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 WhereLess(Register256 a, Register256 b, Register256 x, Register256 y) => new(
        Vector256.ConditionalSelect(Vector256.LessThan(a._numbers, b._numbers), x._numbers, y._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 PowerOfTwo(Register256 n) => new(Vector256.ShiftLeft(
        Vector256.ConvertToInt32Native(n._numbers) + Vector256.Create(ExponentBias), MantissaBits).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Scale(Register256 a, Register256 n) => a * PowerOfTwo(n);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Reciprocal(Register256 a) => new(Vector256<float>.One / a._numbers);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* to) => _numbers.Store(to);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Stream(float* to) => _numbers.StoreAlignedNonTemporal(to);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => Vector256.Sum(_numbers);
}
