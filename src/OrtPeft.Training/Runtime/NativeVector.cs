using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Runtime;

/// <summary>Numbers outside the managed heap, zero at first, that ONNX Runtime values look into.</summary>
internal sealed unsafe class NativeVector : IDisposable
{
    private const int Alignment = 64;
    private readonly List<OrtValue> _views = [];
    private readonly int _size;
    private byte* _start;

    /// <summary>Takes the memory.</summary>
    /// <param name="count">How many numbers.</param>
    /// <param name="type">Their type; float32 when left out.</param>
    public NativeVector(long count, ElementType type = ElementType.Float)
    {
        (Count, Type, _size) = (count, type, type.BitSize() / 8);
        var bytes = checked((nuint)(count * _size));
        _start = (byte*)NativeMemory.AlignedAlloc(bytes, Alignment);
        NativeMemory.Clear(_start, bytes);
    }

    public long Count { get; }

    public ElementType Type { get; }

    /// <summary>Part of the float32 numbers, up to 2³¹ of them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part leaves the vector.</exception>
    public Span<float> Span(long offset, long count)
    {
        CheckRange(offset, count);
        return new Span<float>((float*)_start + offset, checked((int)count));
    }

    /// <summary>All numbers as they are in memory, up to 2³¹ bytes of them.</summary>
    public Span<byte> Bytes => new(_start, checked((int)(Count * _size)));

    /// <summary>A value over part of the numbers; it lives as long as the vector.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part leaves the vector.</exception>
    public OrtValue View(long offset, long[] dims)
    {
        var count = dims.Aggregate(1L, static (product, dim) => checked(product * dim));
        CheckRange(offset, count);
        var view = OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance,
            (TensorElementType)(int)Type,
            dims,
            (nint)(_start + (offset * _size)),
            count * _size);
        _views.Add(view);
        return view;
    }

    /// <summary>A value over all of the numbers, on one axis; it lives as long as the vector.</summary>
    public OrtValue View() => View(0, [Count]);

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
