namespace OrtPeft.Tensors.Storage;

/// <summary>Bytes that were computed from another tensor's and remember it, so that changes can find their way
/// back.</summary>
/// <param name="bytes">The bytes.</param>
/// <param name="origin">What they were computed from; null where that is several tensors.</param>
/// <param name="parts">The tensors that were joined; none where it was one.</param>
internal sealed class DerivedTensorData(TensorData bytes, TensorOrigin? origin, params IReadOnlyList<Tensor> parts)
    : TensorData
{
    public override long Length => bytes.Length;

    internal override TensorOrigin? Origin => origin;

    internal override IReadOnlyList<Tensor> Parts => parts;

    public override ReadOnlySpan<byte> Slice(long offset, int count) => bytes.Slice(offset, count);

    public override PinnedBytes Pin() => bytes.Pin();

    public override void Read(long offset, Span<byte> target) => bytes.Read(offset, target);

    protected internal override ReadOnlySpan<byte> Window(long offset, int count) => bytes.Window(offset, count);
}
