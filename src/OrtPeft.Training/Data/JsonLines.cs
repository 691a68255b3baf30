namespace OrtPeft.Training.Data;

/// <summary>
/// Splits a stream into lines, one in memory at a time: LF or CRLF, the last line with or without its end, a UTF-8 byte
/// order mark and blank lines left out.
/// </summary>
internal static class JsonLines
{
    /// <summary>
    /// The longest line taken, in bytes. A longer one is not a row but a file that is not JSON Lines.
    /// </summary>
    public const int LongestLine = 64 << 20;

    private const int FirstBuffer = 1 << 16;
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];
    private static ReadOnlySpan<byte> Blank => " \t\r"u8;

    public static IEnumerable<JsonLine> Read(Stream stream, string file)
    {
        var window = new Window(stream, new byte[FirstBuffer], 0, 0);
        for (var number = 1; ; number++)
        {
            var length = window.FindLine();
            if (length > LongestLine)
                throw TooLong(new DataPlace(file, number));
            if (length < 0)
                yield break;
            var line = Trim(window.Take(length), first: number == 1);
            if (!line.IsEmpty)
                yield return new JsonLine(number, line);
        }
    }

    private static TrainingDataException TooLong(DataPlace place) =>
        place.Error($"the line is longer than {LongestLine} bytes; give one row a line");

    private static ReadOnlyMemory<byte> Trim(ReadOnlyMemory<byte> line, bool first)
    {
        if (first && line.Span.StartsWith(ByteOrderMark))
            line = line[ByteOrderMark.Length..];
        if (line.Span.IndexOfAnyExcept(Blank) < 0)
            return default;
        return line.Span[^1] == '\r' ? line[..^1] : line;
    }

    /// <summary>
    /// The part of the stream that is in memory: bytes start..end of a buffer that grows with the line.
    /// </summary>
    private sealed class Window(Stream stream, byte[] buffer, int start, int end)
    {
        private byte[] _buffer = buffer;
        private int _start = start;
        private int _end = end;

        /// <summary>
        /// Length of the next line; −1 at the end of the stream; more than <see cref="LongestLine"/> once so many bytes
        /// have passed without a line end.
        /// </summary>
        public int FindLine()
        {
            var searched = 0;
            while (true)
            {
                var found = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
                if (found >= 0)
                    return searched + found;
                searched = _end - _start;
                if (searched > LongestLine)
                    return searched;
                if (!Fill())
                    return searched == 0 ? -1 : searched;
            }
        }

        /// <summary>The line that was found; its line end is passed over.</summary>
        public ReadOnlyMemory<byte> Take(int length)
        {
            ReadOnlyMemory<byte> line = _buffer.AsMemory(_start, length);
            _start = Math.Min(_start + length + 1, _end);
            return line;
        }

        private bool Fill()
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                _end -= _start;
                _start = 0;
            }

            if (_end == _buffer.Length)
                Array.Resize(ref _buffer, _buffer.Length * 2);
            var read = stream.Read(_buffer, _end, _buffer.Length - _end);
            _end += read;
            return read > 0;
        }
    }
}
