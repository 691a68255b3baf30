using System.Runtime.InteropServices;

namespace OrtPeft.Tensors.Storage;

/// <summary>The columns of float32 matrices of as many rows, or the elements of vectors, side by side, picked whenever
/// they are read.</summary>
internal sealed class JoinedColumnsTensorData : ComputedTensorData
{
    private readonly int _width;

    /// <summary>Joins matrices or vectors.</summary>
    /// <param name="parts">At least one; all axes but the last are alike.</param>
    public JoinedColumnsTensorData(IReadOnlyList<Tensor> parts)
        : base(parts.Sum(static p => p.Count))
    {
        Parts = parts;
        _width = checked((int)parts.Sum(static p => p.Dims[^1]));
    }

    public override IReadOnlyList<MappedFile> Files => [.. Parts.SelectMany(static p => p.Data.Files)];

    internal override IReadOnlyList<Tensor> Parts { get; }

    /// <summary>The joined tensor.</summary>
    public Tensor ToTensor() => new(ElementType.Float, Parts[0].Dims.SetItem(Parts[0].Dims.Length - 1, _width), this);

    protected override void Compute(long index, Span<float> target)
    {
        while (!target.IsEmpty)
        {
            var (row, column) = Math.DivRem(index, _width);
            var part = 0;
            for (; column >= Parts[part].Dims[^1]; part++)
                column -= Parts[part].Dims[^1];
            var source = Parts[part];
            var count = (int)Math.Min(source.Dims[^1] - column, target.Length);
            source.Data.Read(
                ((row * source.Dims[^1]) + column) * sizeof(float), MemoryMarshal.AsBytes(target[..count]));
            target = target[count..];
            index += count;
        }
    }
}
