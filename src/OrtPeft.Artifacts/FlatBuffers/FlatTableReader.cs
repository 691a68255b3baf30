using System.Collections.Immutable;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Artifacts.FlatBuffers;

/// <summary>A table of a file that nobody vouches for; a field is checked when it is read.</summary>
internal sealed class FlatTableReader
{
    private readonly FlatBufferReader _buffer;
    private readonly int _at;
    private readonly int _size;
    private readonly int _vtable;
    private readonly int _vtableSize;

    internal FlatTableReader(FlatBufferReader buffer, string name, int at, int size, int vtable, int vtableSize)
    {
        _buffer = buffer;
        Name = name;
        _at = at;
        _size = size;
        _vtable = vtable;
        _vtableSize = vtableSize;
    }

    /// <summary>The table's name in messages: the fields that lead to it.</summary>
    public string Name { get; }

    /// <summary>The file's name in messages.</summary>
    public string File => _buffer.File;

    public int Int32(int slot, string field, int absent = 0) =>
        Place(slot, field, sizeof(int)) is { } at ? unchecked((int)_buffer.UInt32(at)) : absent;

    public long Int64(int slot, string field, long absent = 0) =>
        Place(slot, field, sizeof(long)) is { } at ? unchecked((long)_buffer.UInt64(at)) : absent;

    public float Single(int slot, string field) =>
        Place(slot, field, sizeof(float)) is { } at ? BitConverter.UInt32BitsToSingle(_buffer.UInt32(at)) : 0;

    public bool Boolean(int slot, string field) =>
        Place(slot, field, sizeof(bool)) is { } at && _buffer.Byte(at) != 0;

    public string? Text(int slot, string field) =>
        Target(slot, field) is { } at ? _buffer.Text(at, Path(field)) : null;

    public FlatTableReader? Table(int slot, string field) =>
        Target(slot, field) is { } at ? _buffer.Table(at, Path(field)) : null;

    /// <summary>A vector of tables, each checked when it is reached; null where the field is absent.</summary>
    public IEnumerable<FlatTableReader>? Tables(int slot, string field)
    {
        if (Target(slot, field) is not { } at)
            return null;
        var name = Path(field);
        return Items(_buffer, at, _buffer.Count(at, sizeof(uint), name), name);
    }

    /// <summary>A vector of 64-bit integers; default where the field is absent.</summary>
    public ImmutableArray<long> Int64s(int slot, string field)
    {
        if (Target(slot, field) is not { } at)
            return default;
        var count = _buffer.Count(at, sizeof(long), Path(field), sizeof(long));
        _buffer.Spend(count * (long)sizeof(long), at, Path(field));
        var values = ImmutableArray.CreateBuilder<long>(count);
        for (var i = 0; i < count; i++)
            values.Add(unchecked((long)_buffer.UInt64(at + sizeof(uint) + (i * sizeof(long)))));
        return values.MoveToImmutable();
    }

    /// <summary>A vector of raw bytes, not copied; null where the field is absent.</summary>
    public TensorData? Bytes(int slot, string field) => Target(slot, field) is { } at
        ? _buffer.Slice(at + sizeof(uint), _buffer.Count(at, 1, Path(field)))
        : null;

    /// <summary>The error of a field whose value makes no sense.</summary>
    /// <param name="field">The field.</param>
    /// <param name="what">What is wrong with it, as the rest of a sentence.</param>
    public OnnxFormatException Broken(string field, string what) => _buffer.Broken(Path(field), _at, what);

    private static IEnumerable<FlatTableReader> Items(FlatBufferReader buffer, int at, int count, string name)
    {
        for (var i = 0; i < count; i++)
        {
            var item = $"{name}[{i}]";
            yield return buffer.Table(buffer.Follow(at + sizeof(uint) + (i * sizeof(uint)), item), item);
        }
    }

    private int? Target(int slot, string field) =>
        Place(slot, field, sizeof(uint)) is { } at ? _buffer.Follow(at, Path(field)) : null;

    private int? Place(int slot, string field, int width)
    {
        var entry = (2 + slot) * sizeof(ushort);
        if (entry >= _vtableSize)
            return null;
        int offset = _buffer.UInt16(_vtable + entry);
        if (offset == 0)
            return null;
        if (offset < sizeof(int) || offset + width > _size)
            throw Broken(field, $"is {width} bytes at {offset} of the table's {_size}");
        if ((_at + offset) % width != 0)
            throw Broken(field, $"is not aligned to {width} bytes");
        return _at + offset;
    }

    private string Path(string field) => $"{Name}.{field}";
}
