using System.Diagnostics;
using System.Runtime.InteropServices;

namespace OrtPeft.Tensors.Numerics;

/// <summary>Numbers of the floating-point types as float32: exact from 16 bits, rounded from 64.</summary>
internal static class FloatingPoint
{
    /// <summary>Converts elements.</summary>
    /// <param name="type">Their type.</param>
    /// <param name="source">Their bytes, little-endian.</param>
    /// <param name="target">Receives them; has room for all.</param>
    public static void Convert(ElementType type, ReadOnlySpan<byte> source, Span<float> target)
    {
        switch (type)
        {
            case ElementType.Float:
                MemoryMarshal.Cast<byte, float>(source).CopyTo(target);
                break;
            case ElementType.Float16:
                var halves = MemoryMarshal.Cast<byte, Half>(source);
                for (var i = 0; i < halves.Length; i++)
                    target[i] = (float)halves[i];
                break;
            case ElementType.BFloat16:
                var upper = MemoryMarshal.Cast<byte, ushort>(source);
                for (var i = 0; i < upper.Length; i++)
                    target[i] = BitConverter.UInt32BitsToSingle((uint)upper[i] << 16);
                break;
            case ElementType.Double:
                var doubles = MemoryMarshal.Cast<byte, double>(source);
                for (var i = 0; i < doubles.Length; i++)
                    target[i] = (float)doubles[i];
                break;
            default:
                throw new UnreachableException($"Bug: {type} is not a floating-point type.");
        }
    }
}
