using System.Runtime.InteropServices;

namespace OrtPeft.Tensors.Storage;

/// <summary>Neighbouring columns of a float32 matrix, or elements of a vector, picked whenever they are read.</summary>
/// <param name="source">The matrix or vector.</param>
/// <param name="first">The first column.</param>
/// <param name="columns">How many.</param>
internal sealed class ColumnsTensorData(Tensor source, int first, int columns)
    : ComputedTensorData(source.Count / source.Dims[^1] * columns)
{
    public override IReadOnlyList<MappedFile> Files => source.Data.Files;

    internal override TensorOrigin Origin { get; } = new(source, first, columns);

    /// <summary>The picked tensor.</summary>
    public Tensor ToTensor() => new(ElementType.Float, source.Dims.SetItem(source.Dims.Length - 1, columns), this);

    protected override void Compute(long index, Span<float> target)
    {
        var width = source.Dims[^1];
        while (!target.IsEmpty)
        {
            var (row, column) = Math.DivRem(index, columns);
            var count = (int)Math.Min(columns - column, target.Length);
            var offset = ((row * width) + first + column) * sizeof(float);
            source.Data.Read(offset, MemoryMarshal.AsBytes(target[..count]));
            target = target[count..];
            index += count;
        }
    }
}
