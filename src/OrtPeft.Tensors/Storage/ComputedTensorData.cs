using System.Runtime.InteropServices;

namespace OrtPeft.Tensors.Storage;

/// <summary>
/// float32 bytes made when they are read, so that saving them needs one piece of memory at a time. Native code that
/// wants them in one place gets a copy, made once. Thread-safe.
/// </summary>
internal abstract class ComputedTensorData : TensorData
{
    private readonly Lazy<MemoryTensorData> _whole;

    /// <summary>Promises elements.</summary>
    /// <param name="count">How many float32 numbers there are.</param>
    protected ComputedTensorData(long count)
    {
        Length = checked(count * sizeof(float));
        _whole = new Lazy<MemoryTensorData>(() => new MemoryTensorData(Copy(0, checked((int)Length))));
    }

    /// <inheritdoc/>
    public override long Length { get; }

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Slice(long offset, int count)
    {
        CheckRange(offset, count);
        return _whole.IsValueCreated ? _whole.Value.Slice(offset, count) : Copy(offset, count);
    }

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> target)
    {
        CheckRange(offset, target.Length);
        if (offset % sizeof(float) == 0 && target.Length % sizeof(float) == 0)
        {
            Compute(offset / sizeof(float), MemoryMarshal.Cast<byte, float>(target));
            return;
        }

        var first = offset / sizeof(float);
        var covering = new float[((offset + target.Length + sizeof(float) - 1) / sizeof(float)) - first];
        Compute(first, covering);
        MemoryMarshal.AsBytes(covering).Slice((int)(offset % sizeof(float)), target.Length).CopyTo(target);
    }

    /// <inheritdoc/>
    public override PinnedBytes Pin() => _whole.Value.Pin();

    /// <summary>Makes consecutive elements.</summary>
    /// <param name="first">The first element's number, row-major.</param>
    /// <param name="target">Receives as many elements as it has.</param>
    protected abstract void Compute(long first, Span<float> target);
}
