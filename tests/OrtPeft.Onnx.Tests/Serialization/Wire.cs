using System.Text;

namespace OrtPeft.Onnx.Tests.Serialization;

/// <summary>Protobuf messages written byte by byte, to say things that the product's own writer never says.</summary>
internal static class Wire
{
    public static byte[] Message(params IEnumerable<byte[]> fields) => [.. fields.SelectMany(static f => f)];

    public static byte[] Bytes(int number, byte[] content) =>
        [.. Varint(((ulong)number << 3) | 2), .. Varint((ulong)content.Length), .. content];

    public static byte[] Text(int number, string content) => Bytes(number, Encoding.UTF8.GetBytes(content));

    public static byte[] Number(int number, long value) => [.. Varint((ulong)number << 3), .. Varint((ulong)value)];

    /// <summary>A model of opset 17 around a graph.</summary>
    public static byte[] Model(params IEnumerable<byte[]> graphFields) => Message(
        Number(1, 8),
        Bytes(8, Number(2, 17)),
        Bytes(7, Message([Text(2, "g"), .. graphFields])));

    public static byte[] Node(string op, string[] inputs, string[] outputs, params IEnumerable<byte[]> more) =>
        Bytes(1, Message(
        [
            .. inputs.Select(static i => Text(1, i)),
            .. outputs.Select(static o => Text(2, o)),
            Text(4, op),
            .. more,
        ]));

    /// <summary>A graph's input (11), output (12) or value_info (13).</summary>
    public static byte[] Value(int role, string name, params IEnumerable<byte[]> more) =>
        Bytes(role, Message([Text(1, name), Bytes(2, Bytes(1, Message(Number(1, 1), Bytes(2, [])))), .. more]));

    public static byte[] Initializer(string name, params IEnumerable<byte[]> more) =>
        Bytes(5, Message([Text(8, name), .. more]));

    /// <summary>A float32 vector that claims to lie in a file.</summary>
    public static byte[] External(string name, long count, params IEnumerable<(string Key, string Value)> entries) =>
        Initializer(
            name,
            [
                Number(1, count),
                Number(2, 1),
                Number(14, 1),
                .. entries.Select(static e => Bytes(13, Message(Text(1, e.Key), Text(2, e.Value)))),
            ]);

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        while (value >= 0x80)
        {
            bytes.Add((byte)((value & 0x7f) | 0x80));
            value >>= 7;
        }

        bytes.Add((byte)value);
        return [.. bytes];
    }
}
