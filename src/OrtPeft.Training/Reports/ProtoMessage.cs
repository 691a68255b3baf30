using System.Buffers.Binary;
using System.Text;

namespace OrtPeft.Training.Reports;

/// <summary>A protobuf message that is being written, field by field.</summary>
/// <seealso href="https://protobuf.dev/programming-guides/encoding/"/>
internal sealed class ProtoMessage
{
    private readonly List<byte> _bytes = [];

    private enum Wire
    {
        Varint = 0,
        Fixed64 = 1,
        Bytes = 2,
        Fixed32 = 5,
    }

    public byte[] ToArray() => [.. _bytes];

    public ProtoMessage Add(int field, long value)
    {
        Tag(field, Wire.Varint);
        Varint((ulong)value);
        return this;
    }

    public ProtoMessage Add(int field, double value)
    {
        Tag(field, Wire.Fixed64);
        Span<byte> bytes = stackalloc byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        _bytes.AddRange(bytes);
        return this;
    }

    public ProtoMessage Add(int field, float value)
    {
        Tag(field, Wire.Fixed32);
        Span<byte> bytes = stackalloc byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        _bytes.AddRange(bytes);
        return this;
    }

    public ProtoMessage Add(int field, string value) => Add(field, Encoding.UTF8.GetBytes(value));

    public ProtoMessage Add(int field, ProtoMessage value) => Add(field, value.ToArray());

    private ProtoMessage Add(int field, byte[] value)
    {
        Tag(field, Wire.Bytes);
        Varint((ulong)value.Length);
        _bytes.AddRange(value);
        return this;
    }

    private void Tag(int field, Wire wire) => Varint((ulong)((field << 3) | (int)wire));

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            _bytes.Add((byte)(value | 0x80));
        _bytes.Add((byte)value);
    }
}
