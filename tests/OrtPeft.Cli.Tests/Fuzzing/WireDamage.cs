namespace OrtPeft.Cli.Tests.Fuzzing;

/// <summary>
/// Changes a protobuf message to another that can be parsed: numbers, texts, fields that go, come twice or move. Of
/// nested messages the lengths fit again.
/// </summary>
internal static class WireDamage
{
    private static readonly ulong[] Odd =
    [
        0, 1, 2, 3, 5, 7, 10, 11, 13, 64, 1 << 16, 1 << 25, 1UL << 31, 1UL << 40, 1UL << 62, ulong.MaxValue,
        ulong.MaxValue - 1, 1UL << 63,
    ];

    /// <summary>Changes one or two fields, wherever they are.</summary>
    public static byte[] Apply(byte[] message, Random random)
    {
        for (var i = random.Next(2); i >= 0; i--)
            message = Change(message, random, depth: 0);
        return message;
    }

    private static byte[] Change(byte[] message, Random random, int depth)
    {
        if (Fields(message) is not { Count: > 0 } fields)
            return ByteDamage.Apply(message, random);
        var at = random.Next(fields.Count);
        var (number, wire, content) = fields[at];
        var isNested = wire == 2 && content.Length > 0 && Fields(content) is { Count: > 0 };
        if (isNested && random.Next(depth < 2 ? 20 : 3) != 0)
            fields[at] = (number, wire, Change(content, random, depth + 1));
        else
            Change(fields, at, random);
        return Write(fields);
    }

    private static void Change(List<(int Number, int Wire, byte[] Content)> fields, int at, Random random)
    {
        var (number, wire, content) = fields[at];
        switch (random.Next(6))
        {
            case 0:
                fields.RemoveAt(at);
                break;
            case 1:
                fields.Insert(random.Next(fields.Count + 1), fields[at]);
                break;
            case 2:
                var other = random.Next(fields.Count);
                (fields[at], fields[other]) = (fields[other], fields[at]);
                break;
            case 3 when fields.Where(f => f.Number == number && f.Wire == wire).ToList() is { Count: > 1 } like:
                fields[at] = like[random.Next(like.Count)];
                break;
            default:
                fields[at] = (number, wire, wire == 0
                    ? Varint(Odd[random.Next(Odd.Length)])
                    : content.Length == 0 ? [1] : ByteDamage.Number(content, random));
                break;
        }
    }

    /// <summary>The fields, or null where the bytes are no message.</summary>
    private static List<(int Number, int Wire, byte[] Content)>? Fields(byte[] bytes)
    {
        var fields = new List<(int, int, byte[])>();
        for (var at = 0; at < bytes.Length;)
        {
            if (Read(bytes, ref at) is not { } tag || tag >> 3 is 0 or > 64)
                return null;
            var wire = (int)(tag & 7);
            var start = at;
            var value = wire is 0 or 2 ? Read(bytes, ref at) : wire == 1 ? 8UL : wire == 5 ? 4UL : null;
            if (value is not { } number)
                return null;
            var length = wire == 0 ? 0 : number;
            if (length > (ulong)(bytes.Length - at))
                return null;
            start = wire == 0 ? start : at;
            at += (int)length;
            fields.Add(((int)(tag >> 3), wire, bytes[start..at]));
        }

        return fields;
    }

    private static byte[] Write(List<(int Number, int Wire, byte[] Content)> fields)
    {
        var bytes = new List<byte>();
        foreach (var (number, wire, content) in fields)
        {
            bytes.AddRange(Varint(((ulong)number << 3) | (uint)wire));
            if (wire == 2)
                bytes.AddRange(Varint((ulong)content.Length));
            bytes.AddRange(content);
        }

        return [.. bytes];
    }

    private static ulong? Read(byte[] bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; shift < 64 && at < bytes.Length; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }

        return null;
    }

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
