using System.Buffers;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Tensors.Storage;

/// <summary>Numbers of another floating-point type as float32, converted whenever they are read.</summary>
internal sealed class WidenedTensorData : ComputedTensorData
{
    private const int PieceElements = 1 << 16;

    private readonly TensorData _source;
    private readonly ElementType _type;
    private readonly int _size;

    /// <summary>Looks at a tensor of a floating-point type.</summary>
    public WidenedTensorData(Tensor source)
        : base(source.Count)
    {
        Origin = new TensorOrigin(source);
        _source = source.Data;
        _type = source.Type;
        _size = source.Type.BitSize() / 8;
    }

    internal override TensorOrigin Origin { get; }

    public override IReadOnlyList<MappedFile> Files => _source.Files;

    protected override void Compute(long first, Span<float> target)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(PieceElements * _size);
        while (!target.IsEmpty)
        {
            var count = Math.Min(PieceElements, target.Length);
            var bytes = buffer.AsSpan(0, count * _size);
            _source.Read(first * _size, bytes);
            FloatingPoint.Convert(_type, bytes, target);
            target = target[count..];
            first += count;
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }
}
