using System.Runtime.InteropServices;

namespace OrtPeft.Tensors.Storage;

/// <summary>
/// Tensor bytes in native memory that starts on a cache line, for what is computed once and read by vector instructions
/// ever after. Freed when the last tensor that holds it has been collected.
/// </summary>
public sealed unsafe class AlignedTensorData : TensorData
{
    private const nuint CacheLine = 64;

    /// <summary>Of x86, and of ARM with small pages of 4 KiB.</summary>
    private const nuint HugePage = 2 << 20;

    private readonly byte* _start;

    /// <summary>Takes memory; its content is arbitrary until written.</summary>
    /// <param name="length">How many bytes.</param>
    /// <exception cref="OutOfMemoryException">The system has no such block.</exception>
    public AlignedTensorData(long length)
    {
        GC.SuppressFinalize(this); // there is nothing to free yet
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        var huge = (nuint)length / HugePage * HugePage;
        _start = (byte*)NativeMemory.AlignedAlloc((nuint)length, huge > 0 ? HugePage : CacheLine);
        if (huge > 0)
            NativeMemoryAdvice.UseHugePages((nint)_start, huge);
        GC.AddMemoryPressure(Math.Max(length, 1));
        GC.ReRegisterForFinalize(this);
    }

    /// <summary>Frees the memory once nothing points into it.</summary>
    ~AlignedTensorData()
    {
        NativeMemory.AlignedFree(_start);
        GC.RemoveMemoryPressure(Math.Max(Length, 1));
    }

    /// <inheritdoc/>
    public override long Length { get; }

    /// <summary>Writes part of the bytes, before anyone reads them.</summary>
    /// <param name="offset">First byte, 0 to Length.</param>
    /// <param name="bytes">What to write.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the data.</exception>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Writable(offset, bytes.Length));
        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Slice(long offset, int count) => Copy(offset, count);

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> target)
    {
        Window(offset, target.Length).CopyTo(target);
        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public override PinnedBytes Pin() => new((nint)_start, Length, this);

    /// <inheritdoc/>
    protected internal override ReadOnlySpan<byte> Window(long offset, int count) => Writable(offset, count);

    /// <summary>Part of the bytes, valid while the object is kept alive.</summary>
    internal Span<byte> Writable(long offset, int count)
    {
        CheckRange(offset, count);
        return new Span<byte>(_start + offset, count);
    }
}
