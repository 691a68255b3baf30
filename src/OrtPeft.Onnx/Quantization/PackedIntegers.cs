using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Quantization;

/// <summary>Integers of 4 or 8 bits in bytes as ONNX packs them: 4-bit ones two to a byte, the first in the low
/// half.</summary>
internal static class PackedIntegers
{
    public static void Set(byte[] bytes, ElementType type, long index, int value)
    {
        if (type.BitSize() == 8)
        {
            bytes[index] = (byte)value;
            return;
        }

        var shift = (int)(index % 2 * 4);
        bytes[index / 2] = (byte)((bytes[index / 2] & ~(0xf << shift)) | ((value & 0xf) << shift));
    }

    public static int Get(ReadOnlySpan<byte> bytes, ElementType type, int index)
    {
        var nibble = type.BitSize() == 4 ? (bytes[index / 2] >> (index % 2 * 4)) & 0xf : 0;
        return type switch
        {
            ElementType.UInt8 => bytes[index],
            ElementType.Int8 => (sbyte)bytes[index],
            ElementType.UInt4 => nibble,
            ElementType.Int4 => nibble < 8 ? nibble : nibble - 16,
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No integer type of 4 or 8 bits."),
        };
    }

    public static ReadOnlySpan<byte> BytesOf(Tensor tensor) => tensor.Data.Slice(0, checked((int)tensor.Data.Length));

    public static bool IsPacked(ElementType type) =>
        type is ElementType.UInt8 or ElementType.Int8 or ElementType.UInt4 or ElementType.Int4;
}
