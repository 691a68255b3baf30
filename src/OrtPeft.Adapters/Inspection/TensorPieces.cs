using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Adapters.Inspection;

/// <summary>A floating-point tensor's elements as float32, a piece at a time: memory does not grow with it.</summary>
/// <param name="tensor">The tensor, in a mapped file for example.</param>
internal sealed class TensorPieces(Tensor tensor)
{
    private const int Longest = 1 << 16;

    private readonly float[] _buffer = new float[(int)Math.Min(Longest, tensor.Count)];

    /// <summary>The elements from one on; those read before are gone.</summary>
    /// <param name="start">The first element, below the tensor's count.</param>
    public ReadOnlySpan<float> From(long start)
    {
        var count = (int)Math.Min(_buffer.Length, tensor.Count - start);
        var size = tensor.Type.BitSize() / 8;
        return tensor.Data.View(start * size, count * size, bytes =>
        {
            FloatingPoint.Convert(tensor.Type, bytes, _buffer);
            return _buffer;
        }).AsSpan(0, count);
    }
}
