using System.Runtime.InteropServices;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>The rows of a float32 tensor in another order.</summary>
/// <param name="source">The tensor; its first axis has the rows.</param>
/// <param name="rowOf">Which of its rows stands in a place.</param>
internal sealed class RowsTensorData(Tensor source, Func<int, int> rowOf) : ComputedTensorData(source.Count)
{
    private readonly int _length = checked((int)(source.Count / source.Dims[0]));

    public override IReadOnlyList<MappedFile> Files => source.Data.Files;

    protected override void Compute(long first, Span<float> target)
    {
        while (!target.IsEmpty)
        {
            var (row, at) = ((int)(first / _length), (int)(first % _length));
            var count = Math.Min(target.Length, _length - at);
            source.Data.Read((((long)rowOf(row) * _length) + at) * sizeof(float), MemoryMarshal.AsBytes(target[..count]));
            target = target[count..];
            first += count;
        }
    }
}
