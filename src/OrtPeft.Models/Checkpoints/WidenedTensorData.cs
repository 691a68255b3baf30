using System.Buffers;
using System.Runtime.InteropServices;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints;

/// <summary>
/// Numbers of another floating-point type as float32; exact from the 16-bit types, rounded from float64.
/// </summary>
internal sealed class WidenedTensorData : ComputedTensorData
{
    private const int PieceElements = 1 << 16;

    private readonly TensorData _source;
    private readonly ElementType _type;
    private readonly int _size;

    private WidenedTensorData(Tensor source)
        : base(source.Count)
    {
        _source = source.Data;
        _type = source.Type;
        _size = source.Type.BitSize() / 8;
    }

    public override IReadOnlyList<MappedFile> Files => _source.Files;

    /// <summary>The tensor as float32: itself when it is, else converted whenever it is read.</summary>
    public static Tensor Widen(Tensor tensor) => tensor.Type == ElementType.Float
        ? tensor
        : new Tensor(ElementType.Float, tensor.Dims, new WidenedTensorData(tensor), tensor.Name);

    protected override void Compute(long first, Span<float> target)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(PieceElements * _size);
        while (!target.IsEmpty)
        {
            var count = Math.Min(PieceElements, target.Length);
            var bytes = buffer.AsSpan(0, count * _size);
            _source.Read(first * _size, bytes);
            Convert(bytes, target);
            target = target[count..];
            first += count;
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    private void Convert(ReadOnlySpan<byte> source, Span<float> target)
    {
        switch (_type)
        {
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
                throw new System.Diagnostics.UnreachableException($"Bug: {_type} is no floating-point type.");
        }
    }
}
