using System.Buffers;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>The float32 numbers of a tensor in few bits, made whenever they are read.</summary>
internal sealed class GgufTensorData(GgufTensor tensor)
    : ComputedTensorData(tensor.Bytes.Length / tensor.Type.BlockBytes * tensor.Type.BlockLength)
{
    private const int BlocksAtOnce = 1024;

    public override IReadOnlyList<MappedFile> Files => tensor.Bytes.Files;

    protected override void Compute(long first, Span<float> target)
    {
        var type = tensor.Type;
        var bytes = ArrayPool<byte>.Shared.Rent(BlocksAtOnce * type.BlockBytes);
        Span<float> numbers = stackalloc float[GgmlType.SuperBlock];
        while (!target.IsEmpty)
        {
            var (block, skipped) = (first / type.BlockLength, (int)(first % type.BlockLength));
            var count = (int)Math.Min(BlocksAtOnce, (skipped + (long)target.Length + type.BlockLength - 1) / type.BlockLength);
            tensor.Bytes.Read(block * type.BlockBytes, bytes.AsSpan(0, count * type.BlockBytes));
            for (var i = 0; i < count; i++)
            {
                type.Read!(bytes.AsSpan(i * type.BlockBytes, type.BlockBytes), numbers);
                var taken = Math.Min(target.Length, type.BlockLength - skipped);
                numbers.Slice(skipped, taken).CopyTo(target);
                target = target[taken..];
                (first, skipped) = (first + taken, 0);
            }
        }

        ArrayPool<byte>.Shared.Return(bytes);
    }
}
