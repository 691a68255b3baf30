using System.Buffers;
using System.Runtime.InteropServices;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints;

/// <summary>
/// float32 numbers in one of the 16-bit types, rounded to the nearest, ties to even, whenever they are read, so that
/// saving them needs one piece of memory at a time.
/// </summary>
internal sealed class NarrowedTensorData : TensorData
{
    private const int PieceElements = 1 << 16;
    private const int Size = sizeof(ushort);

    private readonly TensorData _source;
    private readonly bool _isHalf;
    private readonly Lazy<MemoryTensorData> _whole;

    private NarrowedTensorData(TensorData source, bool isHalf)
    {
        _source = source;
        _isHalf = isHalf;
        Length = source.Length / sizeof(float) * Size;
        _whole = new Lazy<MemoryTensorData>(() => new MemoryTensorData(Slice(0, checked((int)Length)).ToArray()));
    }

    public override long Length { get; }

    /// <summary>A float32 tensor in another type; itself for types that are no narrower.</summary>
    public static Tensor Narrow(Tensor tensor, ElementType type) => type.IsHalf()
        ? new Tensor(
            type, tensor.Dims, new NarrowedTensorData(tensor.Data, type == ElementType.Float16), tensor.Name)
        : tensor;

    /// <summary>Whether all finite numbers of a float32 tensor stay finite in a type.</summary>
    public static bool Fits(Tensor tensor, ElementType type)
    {
        if (!type.IsHalf())
            return true;
        var floats = new float[PieceElements];
        for (long at = 0; at < tensor.Data.Length; at += PieceElements * sizeof(float))
        {
            var count = (int)Math.Min(PieceElements, (tensor.Data.Length - at) / sizeof(float));
            tensor.Data.Read(at, MemoryMarshal.AsBytes(floats.AsSpan(0, count)));
            foreach (var value in floats.AsSpan(0, count))
            {
                var isLost = type == ElementType.Float16
                    ? Half.IsInfinity((Half)value)
                    : (Rounded(value) & 0x7FFF) == 0x7F80;
                if (isLost && float.IsFinite(value))
                    return false;
            }
        }

        return true;
    }

    public override ReadOnlySpan<byte> Slice(long offset, int count)
    {
        var bytes = new byte[count];
        Read(offset, bytes);
        return bytes;
    }

    public override PinnedBytes Pin() => _whole.Value.Pin();

    public override void Read(long offset, Span<byte> target)
    {
        CheckRange(offset, target.Length);
        var floats = ArrayPool<float>.Shared.Rent(PieceElements);
        var pair = new byte[PieceElements * Size];
        while (!target.IsEmpty)
        {
            var (first, skipped) = (offset / Size, (int)(offset % Size));
            var count = (int)Math.Min(PieceElements, (target.Length + skipped + Size - 1) / Size);
            _source.Read(first * sizeof(float), MemoryMarshal.AsBytes(floats.AsSpan(0, count)));
            Convert(floats.AsSpan(0, count), MemoryMarshal.Cast<byte, ushort>(pair.AsSpan()));
            var taken = Math.Min(target.Length, (count * Size) - skipped);
            pair.AsSpan(skipped, taken).CopyTo(target);
            target = target[taken..];
            offset += taken;
        }

        ArrayPool<float>.Shared.Return(floats);
    }

    private void Convert(ReadOnlySpan<float> source, Span<ushort> target)
    {
        for (var i = 0; i < source.Length; i++)
            target[i] = _isHalf ? BitConverter.HalfToUInt16Bits((Half)source[i]) : Rounded(source[i]);
    }

    /// <summary>The upper half of the bits, rounded by the lower half; what is not a number stays so.</summary>
    private static ushort Rounded(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
            return (ushort)((bits >> 16) | 0x40);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
