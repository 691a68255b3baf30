namespace OrtPeft.Tensors.Storage;

/// <summary>Tensor bytes that are a range of a mapped file.</summary>
public sealed class MappedTensorData : TensorData
{
    private readonly long _length;

    internal MappedTensorData(MappedFile file, long offset, long length)
    {
        File = file;
        Offset = offset;
        _length = length;
    }

    /// <summary>The mapped file.</summary>
    public MappedFile File { get; }

    /// <summary>Where in the file the range starts, in bytes.</summary>
    public long Offset { get; }

    /// <inheritdoc/>
    public override long Length => _length;

    /// <inheritdoc/>
    public override IReadOnlyList<MappedFile> Files => [File];

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Slice(long offset, int count) => Copy(offset, count);

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> target)
    {
        CheckRange(offset, target.Length);
        File.Read(Offset + offset, target);
    }

    /// <inheritdoc/>
    public override PinnedBytes Pin() => new(File.Address(Offset), _length, File);

    /// <inheritdoc/>
    protected internal override ReadOnlySpan<byte> Window(long offset, int count)
    {
        CheckRange(offset, count);
        return File.Span(Offset + offset, count);
    }
}
