namespace OrtPeft.Tokenizers;

/// <summary>
/// GPT-2's reversible spelling of bytes as visible characters, used in vocabulary files. Bytes that are visible in
/// Latin-1 stand for themselves; the other 68 become U+0100 onwards in byte order, so a space is <c>Ġ</c>.
/// </summary>
internal static class ByteAlphabet
{
    private const int FirstSubstitute = 0x100;

    private static readonly byte[] Order = BuildOrder();
    private static readonly char[] Chars = BuildChars();
    private static readonly short[] Bytes = BuildBytes();

    /// <summary>The 256 bytes in the order of GPT-2's first 256 ids: visible ones first.</summary>
    public static ReadOnlySpan<byte> InIdOrder => Order;

    public static char CharOf(byte value) => Chars[value];

    public static string Spell(ReadOnlySpan<byte> bytes)
    {
        var spelled = bytes.Length <= 256 ? stackalloc char[bytes.Length] : new char[bytes.Length];
        for (var i = 0; i < bytes.Length; i++)
            spelled[i] = Chars[bytes[i]];
        return new string(spelled);
    }

    /// <summary>The bytes a vocabulary string spells, or null where a character is not in the alphabet.</summary>
    public static byte[]? Read(string spelled)
    {
        var bytes = new byte[spelled.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            var c = spelled[i];
            if (c >= Bytes.Length || Bytes[c] < 0)
                return null;
            bytes[i] = (byte)Bytes[c];
        }

        return bytes;
    }

    private static bool IsVisible(int value) => value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE;

    private static byte[] BuildOrder()
    {
        var all = Enumerable.Range(0, 256);
        return [.. all.OrderBy(static b => IsVisible(b) ? 0 : 1).ThenBy(static b => b).Select(static b => (byte)b)];
    }

    private static char[] BuildChars()
    {
        var chars = new char[256];
        var substitutes = 0;
        for (var b = 0; b < 256; b++)
            chars[b] = (char)(IsVisible(b) ? b : FirstSubstitute + substitutes++);
        return chars;
    }

    private static short[] BuildBytes()
    {
        var bytes = new short[Chars.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (var b = 0; b < 256; b++)
            bytes[Chars[b]] = (short)b;
        return bytes;
    }
}
