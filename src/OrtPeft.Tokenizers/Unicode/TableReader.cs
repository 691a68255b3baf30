using System.Text;

namespace OrtPeft.Tokenizers.Unicode;

/// <summary>Reads what scripts/UnicodeTables.cs writes: LEB128 numbers, keys as differences.</summary>
internal sealed class TableReader(byte[] bytes)
{
    private int _at;

    public int ReadNumber()
    {
        var value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[_at++];
            value |= (next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
    }

    public Dictionary<int, int[]> ReadMap()
    {
        var count = ReadNumber();
        var map = new Dictionary<int, int[]>(count);
        for (int i = 0, code = 0; i < count; i++)
        {
            code += ReadNumber();
            var values = new int[ReadNumber()];
            for (var v = 0; v < values.Length; v++)
                values[v] = ReadNumber();
            map.Add(code, values);
        }

        return map;
    }

    public CodePointSet ReadSet()
    {
        var ranges = new (int, int)[ReadNumber()];
        for (int i = 0, end = 0; i < ranges.Length; i++)
        {
            var start = end + ReadNumber();
            end = start + ReadNumber();
            ranges[i] = (start, end);
        }

        return CodePointSet.Of(ranges);
    }

    public string ReadName()
    {
        var length = ReadNumber();
        _at += length;
        return Encoding.ASCII.GetString(bytes, _at - length, length);
    }
}
