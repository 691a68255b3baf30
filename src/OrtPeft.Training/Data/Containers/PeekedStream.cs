namespace OrtPeft.Training.Data.Containers;

/// <summary>A stream whose first bytes are looked at before it is read.</summary>
internal sealed class PeekedStream : Stream
{
    private const int Most = 4096;

    private readonly Stream _rest;
    private readonly bool _leavesOpen;
    private readonly byte[] _first;
    private int _taken;

    /// <summary>Reads the first bytes, fewer where there are no more.</summary>
    public PeekedStream(Stream stream, bool leavesOpen)
    {
        _rest = stream;
        _leavesOpen = leavesOpen;
        var first = new byte[Most];
        var read = stream.ReadAtLeast(first, Most, throwOnEndOfStream: false);
        _first = first[..read];
    }

    /// <summary>The first bytes: 4,096, or all there are.</summary>
    public ReadOnlySpan<byte> First => _first;

    /// <summary>How UTF-8 files of Windows begin.</summary>
    public static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>The first byte of text that is not blank; null where there is none among the first.</summary>
    public byte? Opening
    {
        get
        {
            var text = First.StartsWith(ByteOrderMark) ? First[ByteOrderMark.Length..] : First;
            var begin = text.IndexOfAnyExcept(" \t\r\n"u8);
            return begin < 0 ? null : text[begin];
        }
    }

    /// <summary>The stream that is read, somewhere after its first bytes.</summary>
    public Stream Rest => _rest;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (_taken == _first.Length)
            return _rest.Read(buffer);
        var count = Math.Min(buffer.Length, _first.Length - _taken);
        _first.AsSpan(_taken, count).CopyTo(buffer);
        _taken += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_leavesOpen)
            _rest.Dispose();
        base.Dispose(disposing);
    }
}
