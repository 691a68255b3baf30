using System.Buffers.Binary;
using System.Text;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>Reads the head of a GGUF file from front to back; no count is believed before the file is long enough for
/// it.</summary>
internal sealed class GgufCursor(MappedFile file)
{
    private const int DeepestArray = 3;

    private readonly TensorData _bytes = file.Slice(0, file.Length);

    /// <summary>Where the next value begins.</summary>
    public long Position { get; private set; }

    private long Left => file.Length - Position;

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(stackalloc byte[4]));

    /// <summary>A count of things that take a number of bytes each at least.</summary>
    public long Count(string what, int leastBytes)
    {
        var count = BinaryPrimitives.ReadUInt64LittleEndian(Take(stackalloc byte[8]));
        return count <= (ulong)(Left / leastBytes)
            ? (long)count
            : throw Broken($"has {count} {what}, more than the file has room for");
    }

    /// <summary>A number from 0 that fits a long.</summary>
    public long Size(string what)
    {
        var size = BinaryPrimitives.ReadUInt64LittleEndian(Take(stackalloc byte[8]));
        return size <= long.MaxValue ? (long)size : throw Broken($"has {what} {size}");
    }

    public string Text()
    {
        var length = Count("bytes in a text", 1);
        if (length > System.Array.MaxLength)
            throw Broken($"has a text of {length} bytes");
        return Encoding.UTF8.GetString(Take(new byte[length]));
    }

    /// <summary>A value of a type of the format: long, double, bool, string, or a list of these.</summary>
    public object Value(uint type, int depth = 0)
    {
        Span<byte> bytes = stackalloc byte[8];
        switch (type)
        {
            case 0:
                return (long)Take(bytes[..1])[0];
            case 1:
                return (long)(sbyte)Take(bytes[..1])[0];
            case 2:
                return (long)BinaryPrimitives.ReadUInt16LittleEndian(Take(bytes[..2]));
            case 3:
                return (long)BinaryPrimitives.ReadInt16LittleEndian(Take(bytes[..2]));
            case 4:
                return (long)BinaryPrimitives.ReadUInt32LittleEndian(Take(bytes[..4]));
            case 5:
                return (long)BinaryPrimitives.ReadInt32LittleEndian(Take(bytes[..4]));
            case 6:
                return (double)BinaryPrimitives.ReadSingleLittleEndian(Take(bytes[..4]));
            case 7:
                return Take(bytes[..1])[0] is var flag and <= 1 ? flag == 1 : throw Broken($"has a flag of {bytes[0]}");
            case 8:
                return Text();
            case 9:
                return Array(depth);
            case 10:
                return Size("a number");
            case 11:
                return BinaryPrimitives.ReadInt64LittleEndian(Take(bytes));
            case 12:
                return BinaryPrimitives.ReadDoubleLittleEndian(Take(bytes));
            default:
                throw Broken($"has a value of type {type}; the format has 0 to 12");
        }
    }

    public OnnxFormatException Broken(string what) =>
        new($"{file.Path}: {what} (before byte {Position}); fetch the file again.");

    private List<object> Array(int depth)
    {
        var type = UInt32();
        if (depth >= DeepestArray)
            throw Broken("has lists in lists in lists");
        var count = Count("elements in a list", LeastBytes(type));
        var values = new List<object>();
        for (long i = 0; i < count; i++)
            values.Add(Value(type, depth + 1));
        return values;
    }

    private static int LeastBytes(uint type) => type switch
    {
        0 or 1 or 7 => 1,
        2 or 3 => 2,
        4 or 5 or 6 => 4,
        9 => 12,
        _ => 8,
    };

    private ReadOnlySpan<byte> Take(Span<byte> target)
    {
        if (target.Length > Left)
            throw Broken("ends within its head");
        _bytes.Read(Position, target);
        Position += target.Length;
        return target;
    }
}
