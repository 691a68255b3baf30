using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace OrtPeft.Training.Runtime;

/// <summary>float32 numbers outside the managed heap, zero at first, that ONNX Runtime values look into.</summary>
internal sealed unsafe class NativeVector : IDisposable
{
    private const int Alignment = 64;
    private readonly List<OrtValue> _views = [];
    private float* _start;

    public NativeVector(long count)
    {
        var bytes = checked((nuint)count * sizeof(float));
        Count = count;
        _start = (float*)NativeMemory.AlignedAlloc(bytes, Alignment);
        NativeMemory.Clear(_start, bytes);
    }

    public long Count { get; }

    /// <summary>Part of the numbers, up to 2³¹ of them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part leaves the vector.</exception>
    public Span<float> Span(long offset, long count)
    {
        CheckRange(offset, count);
        return new Span<float>(_start + offset, checked((int)count));
    }

    /// <summary>A value over part of the numbers; it lives as long as the vector.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part leaves the vector.</exception>
    public OrtValue View(long offset, long[] dims)
    {
        var count = dims.Aggregate(1L, static (product, dim) => checked(product * dim));
        CheckRange(offset, count);
        var view = OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance,
            TensorElementType.Float,
            dims,
            (nint)(_start + offset),
            count * sizeof(float));
        _views.Add(view);
        return view;
    }

    public void Dispose()
    {
        foreach (var view in _views)
            view.Dispose();
        NativeMemory.AlignedFree(_start);
        _start = null;
    }

    private void CheckRange(long offset, long count)
    {
        if (offset < 0 || count < 0 || offset > Count - count)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{offset}+{count} leaves the {Count} numbers.");
    }
}
