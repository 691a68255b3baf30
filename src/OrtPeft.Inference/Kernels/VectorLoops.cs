using System.Numerics;
using System.Runtime.CompilerServices;

namespace OrtPeft.Inference.Kernels;

/// <summary>Loops over rows of float32 whose results may take the place of what they read.</summary>
internal static unsafe class VectorLoops
{
    /// <summary>y = f(a, b, c), element by element.</summary>
    public static void Map<TFunction>(float* a, float* b, float* c, float* y, int count)
        where TFunction : ITernaryFunction
    {
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            Vector.Store(TFunction.Of(Vector.Load(a + i), Vector.Load(b + i), Vector.Load(c + i)), y + i);
        if (i == count)
            return;
        var tail = TFunction.Of(Load(a + i, count - i, 0), Load(b + i, count - i, 0), Load(c + i, count - i, 0));
        for (var k = 0; i + k < count; k++)
            y[i + k] = tail[k];
    }

    /// <summary>The largest element.</summary>
    public static float Max(float* x, int count)
    {
        var max = new Vector<float>(float.NegativeInfinity);
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            max = Vector.MaxNative(max, Vector.Load(x + i));
        var lanes = stackalloc float[Vector<float>.Count];
        Vector.Store(max, lanes);
        var largest = float.NegativeInfinity;
        for (var k = 0; k < Vector<float>.Count; k++)
            largest = lanes[k] > largest ? lanes[k] : largest;
        for (; i < count; i++)
            largest = x[i] > largest ? x[i] : largest;
        return largest;
    }

    /// <summary>y = exp(x − shift); returns the sum.</summary>
    public static float ExpSum(float* x, float shift, float* y, int count)
    {
        var by = new Vector<float>(shift);
        var sum = Vector<float>.Zero;
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var e = VectorExp.Of(Vector.Load(x + i) - by);
            sum += e;
            Vector.Store(e, y + i);
        }

        if (i == count)
            return Vector.Sum(sum);
        var tail = VectorExp.Of(Load(x + i, count - i, float.NegativeInfinity) - by);
        for (var k = 0; i + k < count; k++)
            y[i + k] = tail[k];
        return Vector.Sum(sum + tail);
    }

    /// <summary>The first elements of a vector that memory does not fill.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Load(float* start, int count, float rest)
    {
        var buffer = stackalloc float[Vector<float>.Count];
        for (var k = 0; k < Vector<float>.Count; k++)
            buffer[k] = k < count ? start[k] : rest;
        return Vector.Load(buffer);
    }
}
