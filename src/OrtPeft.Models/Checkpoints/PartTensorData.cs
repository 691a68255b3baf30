using System.Runtime.InteropServices;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints;

/// <summary>Some consecutive float32 numbers of other data.</summary>
internal sealed class PartTensorData(TensorData source, long start, long count) : ComputedTensorData(count)
{
    protected override void Compute(long first, Span<float> target) =>
        source.Read((start + first) * sizeof(float), MemoryMarshal.AsBytes(target));
}
