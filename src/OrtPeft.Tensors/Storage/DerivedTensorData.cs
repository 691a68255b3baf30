namespace OrtPeft.Tensors.Storage;

/// <summary>Bytes that were computed from another tensor's and remember it, so that changes can find their way
/// back.</summary>
/// <param name="bytes">The bytes.</param>
/// <param name="origin">What they were computed from.</param>
internal sealed class DerivedTensorData(TensorData bytes, TensorOrigin origin) : TensorData
{
    public override long Length => bytes.Length;

    internal override TensorOrigin Origin => origin;

    public override ReadOnlySpan<byte> Slice(long offset, int count) => bytes.Slice(offset, count);

    public override PinnedBytes Pin() => bytes.Pin();

    public override void Read(long offset, Span<byte> target) => bytes.Read(offset, target);

    protected internal override ReadOnlySpan<byte> Window(long offset, int count) => bytes.Window(offset, count);
}
