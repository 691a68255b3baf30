namespace OrtPeft.Tensors.Storage;

/// <summary>Tensor bytes in managed memory.</summary>
/// <param name="bytes">The bytes; not copied, so the caller must not change them afterwards.</param>
public sealed class MemoryTensorData(ReadOnlyMemory<byte> bytes) : TensorData
{
    /// <inheritdoc/>
    public override long Length => bytes.Length;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Slice(long offset, int count)
    {
        CheckRange(offset, count);
        return bytes.Span.Slice((int)offset, count);
    }

    /// <inheritdoc/>
    public override unsafe PinnedBytes Pin()
    {
        var handle = bytes.Pin();
        return new PinnedBytes((nint)handle.Pointer, bytes.Length, this, handle);
    }
}
