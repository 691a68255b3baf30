using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OrtPeft.Kernels.Loops;

/// <summary>Sixteen numbers: AVX-512.</summary>
internal readonly unsafe struct Register512(Vector512<float> numbers) : IRegister<Register512>
{
    private const int ExponentBias = 127;
    private const int MantissaBits = 23;

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
    public static Register512 operator +(Register512 a, Register512 b) => new(a._numbers + b._numbers);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator -(Register512 a, Register512 b) => new(a._numbers - b._numbers);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator *(Register512 a, Register512 b) => new(a._numbers * b._numbers);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator -(Register512 a) => new(-a._numbers);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 MultiplyAdd(Register512 a, Register512 b, Register512 c) =>
        new(Vector512.MultiplyAddEstimate(a._numbers, b._numbers, c._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Min(Register512 a, Register512 b) => new(Vector512.MinNative(a._numbers, b._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Max(Register512 a, Register512 b) => new(Vector512.MaxNative(a._numbers, b._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Abs(Register512 a) => new(Vector512.Abs(a._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 WhereLess(Register512 a, Register512 b, Register512 x, Register512 y) => new(
        Vector512.ConditionalSelect(Vector512.LessThan(a._numbers, b._numbers), x._numbers, y._numbers));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 PowerOfTwo(Register512 n) => new(Vector512.ShiftLeft(
        Vector512.ConvertToInt32Native(n._numbers) + Vector512.Create(ExponentBias), MantissaBits).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Scale(Register512 a, Register512 n) =>
        new(Avx512F.Scale(a._numbers, n._numbers));

    /// <summary>A reciprocal to 14 bits and a step of Newton's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Reciprocal(Register512 a)
    {
        var reciprocal = Avx512F.Reciprocal14(a._numbers);
        var error = Avx512F.FusedMultiplyAddNegated(a._numbers, reciprocal, Vector512<float>.One);
        return new(Vector512.FusedMultiplyAdd(reciprocal, error, reciprocal));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* to) => _numbers.Store(to);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Stream(float* to) => _numbers.StoreAlignedNonTemporal(to);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => Vector512.Sum(_numbers);
}
