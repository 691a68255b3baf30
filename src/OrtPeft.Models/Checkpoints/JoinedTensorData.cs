using System.Runtime.InteropServices;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints;

/// <summary>float32 numbers of equally long pieces, one after the other.</summary>
internal sealed class JoinedTensorData(IReadOnlyList<TensorData> parts)
    : ComputedTensorData(parts.Sum(static p => p.Length / sizeof(float)))
{
    private readonly long _each = parts[0].Length / sizeof(float);

    protected override void Compute(long first, Span<float> target)
    {
        while (!target.IsEmpty)
        {
            var (part, within) = Math.DivRem(first, _each);
            var count = (int)Math.Min(target.Length, _each - within);
            parts[(int)part].Read(within * sizeof(float), MemoryMarshal.AsBytes(target[..count]));
            first += count;
            target = target[count..];
        }
    }
}
