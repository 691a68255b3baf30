using System.Buffers;

namespace OrtPeft.Tensors.Storage;

/// <summary>
/// The bytes of a tensor, little-endian and row-major, wherever they live. Reading is thread-safe. Nothing that safe
/// code gets from here points into memory that a collection could give back: a span alone keeps no mapping alive.
/// </summary>
public abstract class TensorData
{
    /// <summary>The number of bytes; may exceed 2³¹.</summary>
    public abstract long Length { get; }

    /// <summary>The mapped files that reading the bytes reads; none for what is in memory, which is the
    /// default.</summary>
    public virtual IReadOnlyList<MappedFile> Files => [];

    /// <summary>The tensor that the bytes were made of; null, the default, for a source.</summary>
    internal virtual TensorOrigin? Origin => null;

    /// <summary>The matrices or vectors whose columns, side by side, the bytes are; none, the default, for one that was not
    /// joined.</summary>
    internal virtual IReadOnlyList<Tensor> Parts => [];

    /// <summary>
    /// Part of the bytes for as long as the caller wants: where they lie if that is managed memory, else a copy.
    /// </summary>
    /// <param name="offset">First byte, 0 to Length.</param>
    /// <param name="count">How many bytes.</param>
    /// <returns>The bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the data.</exception>
    public abstract ReadOnlySpan<byte> Slice(long offset, int count);

    /// <summary>Shows part of the bytes where they lie, without a copy.</summary>
    /// <typeparam name="TResult">What is found out.</typeparam>
    /// <param name="offset">First byte, 0 to Length.</param>
    /// <param name="count">How many bytes.</param>
    /// <param name="read">Gets the bytes, which are there until it returns.</param>
    /// <returns>What <paramref name="read"/> returns.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the data.</exception>
    public TResult View<TResult>(long offset, int count, Func<ReadOnlySpan<byte>, TResult> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        var result = read(Window(offset, count));
        GC.KeepAlive(this);
        return result;
    }

    /// <summary>Fixes the bytes in memory and tells where they are, for native code.</summary>
    /// <returns>The address, valid until the pin is disposed.</returns>
    public abstract PinnedBytes Pin();

    /// <summary>Copies part of the bytes; of a mapped file no pages stay in memory, as they do after a slice.</summary>
    /// <param name="offset">First byte, 0 to Length.</param>
    /// <param name="target">Receives as many bytes as it has.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the data.</exception>
    public virtual void Read(long offset, Span<byte> target) => Slice(offset, target.Length).CopyTo(target);

    /// <summary>Writes all bytes to a stream in pieces of up to 1 MiB.</summary>
    /// <param name="target">Where to.</param>
    public void CopyTo(Stream target)
    {
        ArgumentNullException.ThrowIfNull(target);
        const int Piece = 1 << 20;
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(Piece, Length));
        for (long offset = 0; offset < Length;)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, Length - offset));
            Read(offset, piece);
            target.Write(piece);
            offset += piece.Length;
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>
    /// Part of the bytes where they lie, valid only while the object is kept alive: who takes it calls
    /// <see cref="GC.KeepAlive"/> after its last use.
    /// </summary>
    /// <param name="offset">First byte, 0 to Length.</param>
    /// <param name="count">How many bytes.</param>
    /// <returns>The bytes.</returns>
    protected internal virtual ReadOnlySpan<byte> Window(long offset, int count) => Slice(offset, count);

    /// <summary>A copy of part of the bytes.</summary>
    /// <param name="offset">First byte, 0 to Length.</param>
    /// <param name="count">How many bytes.</param>
    /// <returns>New memory.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the data.</exception>
    protected byte[] Copy(long offset, int count)
    {
        CheckRange(offset, count);
        var bytes = new byte[count];
        Read(offset, bytes);
        return bytes;
    }

    /// <summary>Checks a range against the length.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="count">How many bytes.</param>
    protected void CheckRange(long offset, int count)
    {
        if (offset < 0 || count < 0 || offset > Length - count)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{offset}+{count} leaves the {Length} bytes.");
    }
}
