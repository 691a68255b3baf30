using System.Buffers.Binary;
using System.Text;

namespace OrtPeft.Training.Tests.Reports;

/// <summary>Reads event files as their formats are published, and shares no code with what writes them.</summary>
internal static class EventFile
{
    private const uint Castagnoli = 0x82F63B78;

    /// <summary>The records' content, both checksums of each verified.</summary>
    public static List<byte[]> Records(byte[] file)
    {
        var records = new List<byte[]>();
        for (var at = 0; at < file.Length;)
        {
            var length = (int)BitConverter.ToUInt64(file, at);
            Assert.Equal(Masked(file.AsSpan(at, 8)), BitConverter.ToUInt32(file, at + 8));
            var data = file.AsSpan(at + 12, length).ToArray();
            Assert.Equal(Masked(data), BitConverter.ToUInt32(file, at + 12 + length));
            records.Add(data);
            at += 16 + length;
        }

        return records;
    }

    /// <summary>CRC-32C a bit at a time.</summary>
    public static uint Crc32C(ReadOnlySpan<byte> data)
    {
        var crc = 0xFFFFFFFF;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 1 ? (crc >> 1) ^ Castagnoli : crc >> 1;
        }

        return crc ^ 0xFFFFFFFF;
    }

    /// <summary>A message's fields: numbers as their bits, the rest as bytes.</summary>
    public static List<(int Field, ulong Number, byte[] Bytes)> Fields(byte[] message)
    {
        var fields = new List<(int, ulong, byte[])>();
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint();
            switch (tag & 7)
            {
                case 0:
                    fields.Add(((int)(tag >> 3), Varint(), []));
                    break;
                case 1:
                    fields.Add(((int)(tag >> 3), BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(at)), []));
                    at += 8;
                    break;
                case 5:
                    fields.Add(((int)(tag >> 3), BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(at)), []));
                    at += 4;
                    break;
                case 2:
                    var length = (int)Varint();
                    fields.Add(((int)(tag >> 3), 0, message.AsSpan(at, length).ToArray()));
                    at += length;
                    break;
                default:
                    throw new InvalidDataException($"wire type {tag & 7}");
            }

            ulong Varint()
            {
                var value = 0UL;
                for (var shift = 0; ; shift += 7)
                {
                    var part = message[at++];
                    value |= (ulong)(part & 0x7F) << shift;
                    if (part < 0x80)
                        return value;
                }
            }
        }

        return fields;
    }

    /// <summary>A field that is there once.</summary>
    public static byte[] Inner(byte[] message, int field) => Assert.Single(Fields(message), f => f.Field == field).Bytes;

    /// <summary>A text field that is there once.</summary>
    public static string Text(byte[] message, int field) => Encoding.UTF8.GetString(Inner(message, field));

    private static uint Masked(ReadOnlySpan<byte> data)
    {
        var crc = Crc32C(data);
        return unchecked(((crc >> 15) | (crc << 17)) + 0xa282ead8);
    }
}
