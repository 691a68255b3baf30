using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OrtPeft.Kernels.Loops;

/// <summary>Loops over rows of float32 whose results may take the place of what they read.</summary>
internal static unsafe class VectorLoops
{
    /// <summary>y = f(a, b, c), element by element.</summary>
    public static void Map<TFunction>(float* a, float* b, float* c, float* y, int count)
        where TFunction : ITernaryFunction
    {
        var i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
            Vector512.Store(TFunction.Of(Vector512.Load(a + i), Vector512.Load(b + i), Vector512.Load(c + i)), y + i);
        if (i == count)
            return;
        var tail = TFunction.Of(Load(a + i, count - i, 0), Load(b + i, count - i, 0), Load(c + i, count - i, 0));
        for (var k = 0; i + k < count; k++)
            y[i + k] = tail[k];
    }

    /// <summary>(y, z) = f(a, b, c), element by element.</summary>
    public static void Map<TFunction>(float* a, float* b, float* c, float* y, float* z, int count)
        where TFunction : ITwinFunction
    {
        Vector512<float> second;
        var i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            TFunction.Of(Vector512.Load(a + i), Vector512.Load(b + i), Vector512.Load(c + i), out second).Store(y + i);
            second.Store(z + i);
        }

        if (i == count)
            return;
        var first = TFunction.Of(
            Load(a + i, count - i, 0), Load(b + i, count - i, 0), Load(c + i, count - i, 0), out second);
        for (var k = 0; i + k < count; k++)
            (y[i + k], z[i + k]) = (first[k], second[k]);
    }

    /// <summary>y = f(a, b, c) of a few rows, all with the same c. Results may go past the caches, which they would
    /// fill, to be read from memory all the same.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MapRows<TFunction>(
        StridedRows a, StridedRows b, float* c, StridedRows y, int rows, int count, bool streams)
        where TFunction : ITernaryFunction
    {
        streams &= ((nint)y.Start | (y.Stride * sizeof(float))) % Vector512<byte>.Count == 0;
        var i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var third = Vector512.Load(c + i);
            var (ofA, ofB, ofY) = ((nint)i, (nint)i, (nint)i);
            for (var row = 0; row < rows; row++, ofA += a.Stride, ofB += b.Stride, ofY += y.Stride)
            {
                var result = TFunction.Of(Vector512.Load(a.Start + ofA), Vector512.Load(b.Start + ofB), third);
                if (streams)
                    result.StoreAlignedNonTemporal(y.Start + ofY);
                else
                    result.Store(y.Start + ofY);
            }
        }

        for (var row = 0; row < rows && i < count; row++)
            Map<TFunction>(a.At(row) + i, b.At(row) + i, c + i, y.At(row) + i, count - i);
    }

    /// <summary>The largest element.</summary>
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

    /// <summary>y = exp(x − shift); returns the sum.</summary>
    public static float ExpSum(float* x, float shift, float* y, int count)
    {
        var by = Vector512.Create(shift);
        var sum = Vector512<float>.Zero;
        var i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var e = VectorExp.Of(Vector512.Load(x + i) - by);
            sum += e;
            Vector512.Store(e, y + i);
        }

        if (i == count)
            return Vector512.Sum(sum);
        var tail = VectorExp.Of(Load(x + i, count - i, float.NegativeInfinity) - by);
        for (var k = 0; i + k < count; k++)
            y[i + k] = tail[k];
        return Vector512.Sum(sum + tail);
    }

    private static float Largest(Vector512<float> x)
    {
        var eight = Vector256.MaxNative(x.GetLower(), x.GetUpper());
        var four = Vector128.MaxNative(eight.GetLower(), eight.GetUpper());
        return float.MaxNative(float.MaxNative(four[0], four[1]), float.MaxNative(four[2], four[3]));
    }

    /// <summary>The first elements of a vector that memory does not fill.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Load(float* start, int count, float rest)
    {
        var buffer = stackalloc float[Vector512<float>.Count];
        for (var k = 0; k < Vector512<float>.Count; k++)
            buffer[k] = k < count ? start[k] : rest;
        return Vector512.Load(buffer);
    }
}
