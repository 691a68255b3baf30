using System.Buffers.Binary;

namespace OrtPeft.Cli.Tests.Fuzzing;

/// <summary>Changes bytes of any file without knowing what they mean.</summary>
internal static class ByteDamage
{
    private static readonly ulong[] Odd =
    [
        0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1UL << 40, 1UL << 62,
        long.MaxValue, 1UL << 63, ulong.MaxValue,
    ];

    private static readonly Func<byte[], Random, byte[]>[] All = [Flip, Flip, Number, Number, Cut, Drop, Repeat, Noise];

    /// <summary>Changes one to four places.</summary>
    public static byte[] Apply(byte[] bytes, Random random)
    {
        for (var i = random.Next(4); i >= 0 && bytes.Length > 0; i--)
            bytes = All[random.Next(All.Length)](bytes, random);
        return bytes;
    }

    /// <summary>Puts an integer of 4 or 8 bytes that is small, large or negative at a multiple of 4.</summary>
    public static byte[] Number(byte[] bytes, Random random)
    {
        var copy = bytes.ToArray();
        var wide = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(wide, Odd[random.Next(Odd.Length)]);
        var at = random.Next(bytes.Length) & ~3;
        wide.AsSpan(0, Math.Min(random.Next(2) == 0 ? 4 : 8, copy.Length - at)).CopyTo(copy.AsSpan(at));
        return copy;
    }

    private static byte[] Flip(byte[] bytes, Random random)
    {
        var copy = bytes.ToArray();
        copy[random.Next(copy.Length)] ^= (byte)(1 << random.Next(8));
        return copy;
    }

    private static byte[] Noise(byte[] bytes, Random random)
    {
        var copy = bytes.ToArray();
        var at = random.Next(copy.Length);
        random.NextBytes(copy.AsSpan(at, Math.Min(random.Next(1, 16), copy.Length - at)));
        return copy;
    }

    private static byte[] Cut(byte[] bytes, Random random) => bytes[..random.Next(bytes.Length)];

    private static byte[] Drop(byte[] bytes, Random random)
    {
        var (from, to) = Range(bytes, random);
        return [.. bytes.AsSpan(0, from), .. bytes.AsSpan(to)];
    }

    private static byte[] Repeat(byte[] bytes, Random random)
    {
        var (from, to) = Range(bytes, random);
        return [.. bytes.AsSpan(0, to), .. bytes.AsSpan(from)];
    }

    private static (int From, int To) Range(byte[] bytes, Random random)
    {
        var from = random.Next(bytes.Length);
        return (from, Math.Min(bytes.Length, from + random.Next(1, 64)));
    }
}
