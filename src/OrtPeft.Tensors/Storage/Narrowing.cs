using System.Runtime.InteropServices;

namespace OrtPeft.Tensors.Storage;

/// <summary>float32 numbers in the types that graphs store them in.</summary>
internal static class Narrowing
{
    /// <summary>Rounds numbers to the nearest of a type, ties to even.</summary>
    /// <param name="numbers">The numbers.</param>
    /// <param name="type">A floating-point type.</param>
    /// <param name="dims">The axes.</param>
    /// <returns>A tensor of the type.</returns>
    public static Tensor ToTensor(float[] numbers, ElementType type, ReadOnlySpan<long> dims)
    {
        switch (type)
        {
            case ElementType.Float:
                return Tensor.Of<float>(numbers, dims);
            case ElementType.Double:
                return Tensor.Of<double>(Array.ConvertAll(numbers, static n => (double)n), dims);
            case ElementType.Float16:
                return Tensor.Of<Half>(Array.ConvertAll(numbers, static n => (Half)n), dims);
            default:
                var bits = Array.ConvertAll(numbers, ToBFloat16);
                return new Tensor(type, [.. dims], new MemoryTensorData(MemoryMarshal.AsBytes<ushort>(bits).ToArray()));
        }
    }

    /// <summary>The value of a number after it is stored in a type.</summary>
    public static float Stored(float number, ElementType type) => type switch
    {
        ElementType.Float16 => (float)(Half)number,
        ElementType.BFloat16 => BitConverter.UInt32BitsToSingle((uint)ToBFloat16(number) << 16),
        _ => number,
    };

    private static ushort ToBFloat16(float number)
    {
        var bits = BitConverter.SingleToUInt32Bits(number);
        return float.IsNaN(number) ? (ushort)0x7fc0 : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }
}
