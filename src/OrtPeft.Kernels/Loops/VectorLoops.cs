using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OrtPeft.Kernels.Loops;

/// <summary>Loops over rows of float32 whose results may take the place of what they read.</summary>
internal static unsafe class VectorLoops
{
    /// <summary>y = f(a, b, c), element by element.</summary>
    public static void Map<TFunction>(float* a, float* b, float* c, float* y, int count)
        where TFunction : ITernaryFunction
    {
        if (Avx512F.IsSupported)
            Map<TFunction, Register512>(a, b, c, y, count);
        else if (Vector256.IsHardwareAccelerated)
            Map<TFunction, Register256>(a, b, c, y, count);
        else
            Map<TFunction, Register128>(a, b, c, y, count);
    }

    /// <summary>(y, z) = f(a, b, c), element by element.</summary>
    public static void Map<TFunction>(float* a, float* b, float* c, float* y, float* z, int count)
        where TFunction : ITwinFunction
    {
        if (Avx512F.IsSupported)
            Map<TFunction, Register512>(a, b, c, y, z, count);
        else if (Vector256.IsHardwareAccelerated)
            Map<TFunction, Register256>(a, b, c, y, z, count);
        else
            Map<TFunction, Register128>(a, b, c, y, z, count);
    }

    /// <summary>y = f(a, b, c) of a few rows, all with the same c. Results may go past the caches, which they would
    /// fill, to be read from memory all the same.</summary>
    public static void MapRows<TFunction>(
        StridedRows a, StridedRows b, float* c, StridedRows y, int rows, int count, bool streams)
        where TFunction : ITernaryFunction
    {
        if (Avx512F.IsSupported)
            MapRows<TFunction, Register512>(a, b, c, y, rows, count, streams);
        else if (Vector256.IsHardwareAccelerated)
            MapRows<TFunction, Register256>(a, b, c, y, rows, count, streams);
        else
            MapRows<TFunction, Register128>(a, b, c, y, rows, count, streams);
    }

    /// <summary>y = exp(x − shift); returns the sum.</summary>
    public static float ExpSum(float* x, float shift, float* y, int count) =>
        Avx512F.IsSupported ? ExpSum<Register512>(x, shift, y, count)
        : Vector256.IsHardwareAccelerated ? ExpSum<Register256>(x, shift, y, count)
        : ExpSum<Register128>(x, shift, y, count);

    /// <summary>The largest element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Max(float* x, int count)
    {
        var max = Vector512.Create(float.NegativeInfinity);
        var i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
            max = Vector512.MaxNative(max, Vector512.Load(x + i));
        var largest = Largest(max);
        for (; i < count; i++)
            largest = x[i] > largest ? x[i] : largest;
        return largest;
    }

    /// <summary>y = a + b, or a + b[0]; returns the largest sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float AddMax(float* a, float* b, bool repeatsB, float* y, int count)
    {
        var max = Vector512.Create(float.NegativeInfinity);
        var first = Vector512.Create(*b);
        var i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var sum = Vector512.Load(a + i) + (repeatsB ? first : Vector512.Load(b + i));
            max = Vector512.MaxNative(max, sum);
            Vector512.Store(sum, y + i);
        }

        var largest = Largest(max);
        for (; i < count; i++)
        {
            y[i] = a[i] + b[repeatsB ? 0 : i];
            largest = y[i] > largest ? y[i] : largest;
        }

        return largest;
    }

    /// <summary>y = (y − shift)·a·b, or (y − shift)·a·b[0].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ShiftMultiply(float* y, float shift, float* a, float* b, bool repeatsB, int count)
    {
        var (by, first) = (Vector512.Create(shift), Vector512.Create(*b));
        var i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var product = (Vector512.Load(y + i) - by) * Vector512.Load(a + i);
            Vector512.Store(product * (repeatsB ? first : Vector512.Load(b + i)), y + i);
        }

        for (; i < count; i++)
            y[i] = (y[i] - shift) * a[i] * b[repeatsB ? 0 : i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Map<TFunction, T>(float* a, float* b, float* c, float* y, int count)
        where TFunction : ITernaryFunction
        where T : struct, IRegister<T>
    {
        var i = 0;
        for (; i <= count - T.Count; i += T.Count)
            TFunction.Of(T.Load(a + i), T.Load(b + i), T.Load(c + i)).Store(y + i);
        if (i == count)
            return;
        count -= i;
        var rest = TFunction.Of(Load<T>(a + i, count, 0), Load<T>(b + i, count, 0), Load<T>(c + i, count, 0));
        Store(rest, y + i, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Map<TFunction, T>(float* a, float* b, float* c, float* y, float* z, int count)
        where TFunction : ITwinFunction
        where T : struct, IRegister<T>
    {
        T second;
        var i = 0;
        for (; i <= count - T.Count; i += T.Count)
        {
            TFunction.Of(T.Load(a + i), T.Load(b + i), T.Load(c + i), out second).Store(y + i);
            second.Store(z + i);
        }

        if (i == count)
            return;
        count -= i;
        var first = TFunction.Of(
            Load<T>(a + i, count, 0), Load<T>(b + i, count, 0), Load<T>(c + i, count, 0), out second);
        Store(first, y + i, count);
        Store(second, z + i, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MapRows<TFunction, T>(
        StridedRows a, StridedRows b, float* c, StridedRows y, int rows, int count, bool streams)
        where TFunction : ITernaryFunction
        where T : struct, IRegister<T>
    {
        streams &= ((nint)y.Start | (y.Stride * sizeof(float))) % (T.Count * sizeof(float)) == 0;
        var i = 0;
        for (; i <= count - T.Count; i += T.Count)
        {
            var third = T.Load(c + i);
            var (ofA, ofB, ofY) = ((nint)i, (nint)i, (nint)i);
            for (var row = 0; row < rows; row++, ofA += a.Stride, ofB += b.Stride, ofY += y.Stride)
            {
                var result = TFunction.Of(T.Load(a.Start + ofA), T.Load(b.Start + ofB), third);
                if (streams)
                    result.Stream(y.Start + ofY);
                else
                    result.Store(y.Start + ofY);
            }
        }

        for (var row = 0; row < rows && i < count; row++)
            Map<TFunction, T>(a.At(row) + i, b.At(row) + i, c + i, y.At(row) + i, count - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float ExpSum<T>(float* x, float shift, float* y, int count)
        where T : struct, IRegister<T>
    {
        var by = T.Of(shift);
        T sum = default;
        var i = 0;
        for (; i <= count - T.Count; i += T.Count)
        {
            var e = VectorExp.Of(T.Load(x + i) - by);
            sum += e;
            e.Store(y + i);
        }

        if (i == count)
            return sum.Sum();
        count -= i;
        var rest = VectorExp.Of(Load<T>(x + i, count, float.NegativeInfinity) - by);
        Store(rest, y + i, count);
        return (sum + rest).Sum();
    }

    private static float Largest(Vector512<float> x)
    {
        var eight = Vector256.MaxNative(x.GetLower(), x.GetUpper());
        var four = Vector128.MaxNative(eight.GetLower(), eight.GetUpper());
        return float.MaxNative(float.MaxNative(four[0], four[1]), float.MaxNative(four[2], four[3]));
    }

    /// <summary>The first elements of a register that memory does not fill.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Load<T>(float* start, int count, float rest)
        where T : struct, IRegister<T>
    {
        var buffer = stackalloc float[T.Count];
        for (var k = 0; k < T.Count; k++)
            buffer[k] = k < count ? start[k] : rest;
        return T.Load(buffer);
    }

    /// <summary>Puts a register's first elements into memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(T numbers, float* start, int count)
        where T : struct, IRegister<T>
    {
        var buffer = stackalloc float[T.Count];
        numbers.Store(buffer);
        for (var k = 0; k < count; k++)
            start[k] = buffer[k];
    }
}
