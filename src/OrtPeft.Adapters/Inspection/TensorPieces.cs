using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Adapters.Inspection;

/// <summary>A floating-point tensor's elements as float32, a piece at a time: memory does not grow with it.</summary>
/// <param name="tensor">The tensor, in a mapped file for example.</param>
internal sealed class TensorPieces(Tensor tensor)
{
    private const int Longest = 1 << 16;

    private readonly int _size = tensor.Type.BitSize() / 8;
    private readonly float[] _numbers = new float[LengthOf(tensor)];
    private readonly byte[] _bytes = new byte[LengthOf(tensor) * tensor.Type.BitSize() / 8];

    /// <summary>The elements from one on; those read before are gone.</summary>
    /// <param name="start">The first element, below the tensor's count.</param>
    public ReadOnlySpan<float> From(long start)
    {
        var count = (int)Math.Min(_numbers.Length, tensor.Count - start);
        var bytes = _bytes.AsSpan(0, count * _size);
        tensor.Data.Read(start * _size, bytes); // unlike a view, it leaves no pages of the file in memory
        FloatingPoint.Convert(tensor.Type, bytes, _numbers);
        return _numbers.AsSpan(0, count);
    }

    private static int LengthOf(Tensor tensor) => (int)Math.Min(Longest, tensor.Count);
}
