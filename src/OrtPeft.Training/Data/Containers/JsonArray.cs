using System.Buffers;

namespace OrtPeft.Training.Data.Containers;

/// <summary>
/// Splits a JSON array into its elements, one in memory at a time. What an element holds is not looked at beyond its
/// brackets and strings; whoever parses it does that.
/// </summary>
internal static class JsonArray
{
    public static IEnumerable<JsonLine> Read(Stream stream, string file)
    {
        var cursor = new Cursor(stream);
        cursor.Open();
        var next = cursor.SkipBlank();
        while (next != ']')
        {
            (var line, var column) = (cursor.Line, cursor.Column);
            yield return new JsonLine(line, cursor.Element(file), column);
            next = cursor.SkipBlank();
            if (next is not (',' or ']'))
                throw cursor.Error(file, next);
            if (next == ',')
            {
                cursor.Take();
                next = cursor.SkipBlank();
                if (next == ']')
                    throw cursor.Error(file, next);
            }
        }

        cursor.Take();
        var after = cursor.SkipBlank();
        if (after >= 0)
            throw cursor.Error(file, after);
    }

    private static bool IsBlank(int value) => value is ' ' or '\t' or '\r' or '\n';

    /// <summary>Where the reading is: the next byte, and its line and column.</summary>
    private sealed class Cursor(Stream stream)
    {
        private readonly byte[] _buffer = new byte[1 << 16];
        private readonly ArrayBufferWriter<byte> _element = new();
        private int _start;
        private int _end;
        private int _next = -1;

        public int Line { get; private set; } = 1;

        public int Column { get; private set; } = 1;

        /// <summary>Begins after the bracket that opens the array.</summary>
        public void Open()
        {
            Take();
            Column = _next == PeekedStream.ByteOrderMark[0] ? 0 : 1;
            while (_next != '[')
                Take();
            Take();
        }

        public int Take()
        {
            var taken = _next;
            if (_start == _end)
                (_start, _end) = (0, stream.Read(_buffer));
            _next = _end == 0 ? -1 : _buffer[_start++];
            if (taken == '\n')
                (Line, Column) = (Line + 1, 1);
            else if ((taken & 0xC0) != 0x80) // the bytes of a character after its first take no column
                Column += taken >= 0xF0 ? 2 : 1;
            return taken;
        }

        public int SkipBlank()
        {
            while (IsBlank(_next))
                Take();
            return _next;
        }

        /// <summary>The bytes up to the comma or bracket that ends an element.</summary>
        public ReadOnlyMemory<byte> Element(string file)
        {
            _element.ResetWrittenCount();
            (var line, var depth, var inText) = (Line, 0, false);
            while (_next >= 0 && (inText || depth > 0 || _next is not (',' or ']')))
            {
                var taken = Take();
                Append(file, line, taken);
                if (inText && taken == '\\' && _next >= 0)
                    Append(file, line, Take());
                else if (taken == '"')
                    inText = !inText;
                else if (!inText)
                    depth += taken is '{' or '[' ? 1 : taken is '}' or ']' ? -1 : 0;
            }

            if (_next < 0)
                throw Error(file, _next);
            return _element.WrittenMemory;
        }

        public TrainingDataException Error(string file, int found)
        {
            var what = found < 0 ? "the file ends" : $"{DataPlace.Quote(((char)found).ToString())} stands";
            return new DataPlace(file, Line).ErrorAt(
                Column, $"{what} where an array of rows goes on; give one array of JSON objects", inner: null);
        }

        private void Append(string file, int line, int value)
        {
            if (_element.WrittenCount == JsonLines.LongestLine)
                throw new DataPlace(file, line).Error($"the row is longer than {JsonLines.LongestLine} bytes");
            _element.Write([(byte)value]);
        }
    }
}
