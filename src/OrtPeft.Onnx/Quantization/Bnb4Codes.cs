using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Quantization;

/// <summary>bitsandbytes' codes of 4 bits, two to a byte, the first in the high half, and the largest magnitude of each block
/// of elements one after the other.</summary>
internal static class Bnb4Codes
{
    /// <summary>The bytes as ONNX packs codes, the first in the low half.</summary>
    public static byte[] LowFirst(ReadOnlySpan<byte> packed)
    {
        var codes = new byte[packed.Length];
        for (var i = 0; i < codes.Length; i++)
            codes[i] = (byte)((packed[i] << 4) | (packed[i] >> 4));
        return codes;
    }

    /// <summary>A matrix of NF4 whose blocks lie within rows.</summary>
    /// <param name="codes">What <see cref="LowFirst"/> gave.</param>
    /// <param name="rows">The features that it makes.</param>
    /// <param name="columns">The features that it reads, a multiple of the block size.</param>
    /// <param name="scales">The largest magnitude of each block.</param>
    /// <param name="size">Elements of a block.</param>
    public static QuantizedTensor NormalFloat4(TensorData codes, int rows, int columns, float[] scales, int size) => new(
        new Tensor(ElementType.UInt4, [rows, columns], codes),
        Tensor.Of<float>(scales, [rows, columns / size]),
        ZeroPoints: null,
        RelativeError: 0)
    {
        Axis = 1,
        BlockSize = size,
        CodeBook = CodeBook.NormalFloat4,
    };

    /// <summary>The numbers that codes of any table stand for.</summary>
    public static float[] Numbers(ReadOnlySpan<byte> packed, IReadOnlyList<float> table, float[] scales, int size, long count)
    {
        var numbers = new float[count];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = table[(packed[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 0xF] * scales[i / size];
        return numbers;
    }
}
