using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace OrtPeft.Training.Runtime;

/// <summary>float32 numbers outside the managed heap, zero at first, that ONNX Runtime values look into.</summary>
internal sealed unsafe class FlatVector : IDisposable
{
    private const int Alignment = 64;
    private readonly List<OrtValue> _views = [];
    private float* _start;

    public FlatVector(long count)
    {
        Count = count;
        _start = (float*)NativeMemory.AlignedAlloc((nuint)(count * sizeof(float)), Alignment);
        NativeMemory.Clear(_start, (nuint)(count * sizeof(float)));
    }

    public long Count { get; }

    /// <summary>Part of the numbers, up to 2³¹ of them.</summary>
    public Span<float> Span(long offset, long count) => new(_start + offset, checked((int)count));

    /// <summary>A value over part of the numbers; it lives as long as the vector.</summary>
    public OrtValue View(long offset, long[] dims)
    {
        var count = dims.Aggregate(1L, static (product, dim) => product * dim);
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
}
