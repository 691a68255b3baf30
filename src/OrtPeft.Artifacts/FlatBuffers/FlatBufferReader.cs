using System.Buffers.Binary;
using System.Text;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Artifacts.FlatBuffers;

/// <summary>
/// The bytes of a flatbuffer that nobody vouches for: every offset, length and alignment is checked before it is
/// followed. The rules are those of the reference implementation's verifier, and that what is decoded stays in
/// proportion to the file: offsets may lead to the same bytes many times over.
/// </summary>
/// <seealso href="https://flatbuffers.dev/internals/"/>
internal sealed class FlatBufferReader
{
    /// <summary>The reference implementation's verifier refuses more tables.</summary>
    private const int MaxTables = 1_000_000;

    /// <summary>Names and shapes may be shared by so many places on average before a file counts as hostile.</summary>
    private const long MaxReuse = 64;

    /// <summary>More of what is wrong is not shown, in characters: names in damaged files may be long.</summary>
    private const int MaxMessage = 500;

    private readonly TensorData _content;
    private readonly Func<int, int, TensorData> _slice;
    private readonly string _kind;
    private long _decodable;
    private int _tables;

    private FlatBufferReader(string file, string kind, TensorData content, Func<int, int, TensorData> slice)
    {
        File = file;
        _kind = kind;
        _content = content;
        _slice = slice;
        _decodable = MaxReuse * content.Length;
    }

    /// <summary>The file's name in messages.</summary>
    public string File { get; }

    /// <summary>Reads a mapped file, whose byte vectors stay in it.</summary>
    public static FlatBufferReader Over(MappedFile file, string kind)
    {
        var content = file.Slice(0, file.Length);
        return new FlatBufferReader(file.Path, kind, content, (offset, length) => file.Slice(offset, length));
    }

    /// <summary>Reads bytes in memory, which must not change afterwards.</summary>
    public static FlatBufferReader Over(ReadOnlyMemory<byte> content, string file, string kind) => new(
        file, kind, new MemoryTensorData(content), (at, length) => new MemoryTensorData(content.Slice(at, length)));

    /// <summary>The outermost table.</summary>
    /// <param name="identifier">The four characters after the first offset.</param>
    /// <param name="name">What messages call the table.</param>
    /// <exception cref="OnnxFormatException">The bytes are not such a flatbuffer.</exception>
    public FlatTableReader Root(string identifier, string name)
    {
        if (_content.Length < BufferLayout.HeaderBytes + sizeof(uint))
            throw Broken("the file", _content.Length, "ends before the first table");
        if (_content.Length >= FlatBufferWriter.Limit)
            throw Broken("the file", _content.Length, $"ends beyond a flatbuffer's {FlatBufferWriter.Limit} bytes");
        var found = _content.View(sizeof(uint), sizeof(uint), Encoding.Latin1.GetString);
        if (found != identifier)
        {
            var shown = string.Concat(found.Select(static c => char.IsAsciiLetterOrDigit(c) ? c : '?'));
            throw Broken("the identifier", sizeof(uint), $"is '{shown}', not '{identifier}'");
        }

        return Table(Follow(0, name), name);
    }

    /// <summary>A table, its vtable checked.</summary>
    public FlatTableReader Table(int at, string name)
    {
        if (++_tables > MaxTables)
            throw Broken(name, at, $"is the table after the first {MaxTables}, which ONNX Runtime refuses");
        Check(at, sizeof(int), name);
        var vtable = at - (long)_content.View(at, sizeof(int), BinaryPrimitives.ReadInt32LittleEndian);
        if (vtable < 0 || vtable % sizeof(ushort) != 0 || vtable > _content.Length - (2 * sizeof(ushort)))
            throw Broken(name, at, $"says that its vtable is at {vtable}");
        var size = UInt16((int)vtable);
        if (size < 2 * sizeof(ushort) || size % sizeof(ushort) != 0 || vtable + size > _content.Length)
            throw Broken(name, at, $"has a vtable of {size} bytes at {vtable}");
        var inline = UInt16((int)vtable + sizeof(ushort));
        if (inline < sizeof(int) || at + (long)inline > _content.Length)
            throw Broken(name, at, $"claims {inline} bytes of fields");
        return new FlatTableReader(this, name, at, inline, (int)vtable, size);
    }

    /// <summary>The place to which the offset at <paramref name="at"/> leads.</summary>
    public int Follow(int at, string name)
    {
        Check(at, sizeof(uint), name);
        var offset = UInt32(at);
        if (offset == 0 || offset > int.MaxValue || at + (long)offset >= _content.Length)
            throw Broken(name, at, $"leads {offset} bytes on, which is not in the file");
        return at + (int)offset;
    }

    /// <summary>The number of elements of a vector, all of which are in the file.</summary>
    /// <param name="at">Where the vector's length stands.</param>
    /// <param name="width">Bytes per element.</param>
    /// <param name="name">What messages call the field.</param>
    /// <param name="alignment">The elements' alignment, in bytes; the length's own is always checked.</param>
    public int Count(int at, int width, string name, int alignment = 1)
    {
        Check(at, sizeof(uint), name);
        var count = UInt32(at);
        if (count * (long)width > _content.Length - at - sizeof(uint))
            throw Broken(name, at, $"claims {count} elements, more than the file has bytes for");
        if (count > 0 && (at + sizeof(uint)) % alignment != 0)
            throw Broken(name, at, $"is not aligned to {alignment} bytes");
        return (int)count;
    }

    /// <summary>A text: valid UTF-8 followed by a zero.</summary>
    public string Text(int at, string name)
    {
        var count = Count(at, 1, name);
        Spend(count, at, name);
        var start = at + sizeof(uint);
        if (start + (long)count >= _content.Length || Byte(start + count) != 0)
            throw Broken(name, at, "is a text without an end");
        try
        {
            return _content.View(start, count, new UTF8Encoding(false, throwOnInvalidBytes: true).GetString);
        }
        catch (DecoderFallbackException e)
        {
            throw new OnnxFormatException(Broken(name, at, "is not text in UTF-8").Message, e);
        }
    }

    /// <summary>A range that has been checked, not copied.</summary>
    public TensorData Slice(int at, int count) => _slice(at, count);

    /// <summary>Counts bytes that are decoded into objects.</summary>
    public void Spend(long bytes, int at, string name)
    {
        _decodable -= bytes;
        if (_decodable < 0)
            throw Broken(name, at, $"is the last straw: names and shapes take {MaxReuse} times the file's length");
    }

    public ushort UInt16(int at) => _content.View(at, sizeof(ushort), BinaryPrimitives.ReadUInt16LittleEndian);

    public uint UInt32(int at) => _content.View(at, sizeof(uint), BinaryPrimitives.ReadUInt32LittleEndian);

    public ulong UInt64(int at) => _content.View(at, sizeof(ulong), BinaryPrimitives.ReadUInt64LittleEndian);

    public byte Byte(int at) => _content.View(at, sizeof(byte), static bytes => bytes[0]);

    /// <summary>An error, in one line whatever names the file makes up.</summary>
    public OnnxFormatException Broken(string place, long at, string what)
    {
        var line = string.Concat(what.Take(MaxMessage).Select(static c => char.IsControl(c) ? '?' : c));
        const string Remedy = "or damaged or incomplete: fetch or write it again";
        return new OnnxFormatException($"{File}: {place} at byte {at} {line}; it is not a valid {_kind}, {Remedy}.");
    }

    private void Check(int at, int width, string name)
    {
        if (at > _content.Length - width)
            throw Broken(name, at, $"takes {width} bytes, which leave the file");
        if (at % width != 0)
            throw Broken(name, at, $"is not aligned to {width} bytes");
    }
}
