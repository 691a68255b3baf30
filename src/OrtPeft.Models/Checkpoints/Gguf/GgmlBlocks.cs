using System.Buffers.Binary;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>ggml's blocks, little-endian, as its <c>dequantize_row_…</c> read them.</summary>
/// <seealso href="https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c">ggml's reference.</seealso>
internal static class GgmlBlocks
{
    private const int Half = 16;

    /// <summary>d · (q − 8); the low halves of the bytes come first.</summary>
    public static void Q40(ReadOnlySpan<byte> block, Span<float> numbers)
    {
        var d = Scale(block);
        for (var j = 0; j < Half; j++)
        {
            numbers[j] = ((block[2 + j] & 0xF) - 8) * d;
            numbers[j + Half] = ((block[2 + j] >> 4) - 8) * d;
        }
    }

    /// <summary>d · q + m.</summary>
    public static void Q41(ReadOnlySpan<byte> block, Span<float> numbers)
    {
        var (d, m) = (Scale(block), Scale(block[2..]));
        for (var j = 0; j < Half; j++)
        {
            numbers[j] = ((block[4 + j] & 0xF) * d) + m;
            numbers[j + Half] = ((block[4 + j] >> 4) * d) + m;
        }
    }

    /// <summary>d · (q − 16); the fifth bits stand apart.</summary>
    public static void Q50(ReadOnlySpan<byte> block, Span<float> numbers)
    {
        var (d, high) = (Scale(block), BinaryPrimitives.ReadUInt32LittleEndian(block[2..]));
        for (var j = 0; j < 2 * Half; j++)
            numbers[j] = (Five(block[6..], high, j) - 16) * d;
    }

    /// <summary>d · q + m.</summary>
    public static void Q51(ReadOnlySpan<byte> block, Span<float> numbers)
    {
        var (d, m) = (Scale(block), Scale(block[2..]));
        var high = BinaryPrimitives.ReadUInt32LittleEndian(block[4..]);
        for (var j = 0; j < 2 * Half; j++)
            numbers[j] = (Five(block[8..], high, j) * d) + m;
    }

    /// <summary>d · q.</summary>
    public static void Q80(ReadOnlySpan<byte> block, Span<float> numbers)
    {
        var d = Scale(block);
        for (var j = 0; j < 2 * Half; j++)
            numbers[j] = (sbyte)block[2 + j] * d;
    }

    /// <summary>Eight blocks of 32: (d · s) · q − dmin · m, with s and m of six bits.</summary>
    public static void Q4K(ReadOnlySpan<byte> block, Span<float> numbers)
    {
        var (d, min) = (Scale(block), Scale(block[2..]));
        var q = block[16..];
        for (var i = 0; i < GgmlType.SuperBlock; i++)
        {
            var part = i / 32;
            var (scale, offset) = SixBits(block[4..16], part);
            var code = (q[(part / 2 * 32) + (i % 32)] >> (part % 2 * 4)) & 0xF;
            numbers[i] = (d * scale * code) - (min * offset);
        }
    }

    /// <summary>As <see cref="Q4K"/>, the fifth bits apart.</summary>
    public static void Q5K(ReadOnlySpan<byte> block, Span<float> numbers)
    {
        var (d, min) = (Scale(block), Scale(block[2..]));
        var (high, q) = (16, 48);
        for (var i = 0; i < GgmlType.SuperBlock; i++)
        {
            var part = i / 32;
            var (scale, offset) = SixBits(block[4..16], part);
            var code = ((block[q + (part / 2 * 32) + (i % 32)] >> (part % 2 * 4)) & 0xF) | (((block[high + (i % 32)] >> part) & 1) << 4);
            numbers[i] = (d * scale * code) - (min * offset);
        }
    }

    /// <summary>Sixteen blocks of 16: d · s · (q − 32), with s of eight bits.</summary>
    public static void Q6K(ReadOnlySpan<byte> block, Span<float> numbers)
    {
        for (var i = 0; i < GgmlType.SuperBlock; i++)
            numbers[i] = Q6KScale(block, i / 16) * (Q6KCode(block, i) - 32);
    }

    /// <summary>The code of a number, 0 to 63.</summary>
    public static int Q6KCode(ReadOnlySpan<byte> block, int index)
    {
        var (half, quarter, l) = (index / 128, index % 128 / 32, index % 32);
        var low = (block[(half * 64) + (quarter % 2 * 32) + l] >> (quarter / 2 * 4)) & 0xF;
        var high = (block[128 + (half * 32) + l] >> (quarter * 2)) & 3;
        return low | (high << 4);
    }

    /// <summary>The scale of sixteen numbers.</summary>
    public static float Q6KScale(ReadOnlySpan<byte> block, int part) => Scale(block[208..]) * (sbyte)block[192 + part];

    /// <summary>A float16.</summary>
    public static float Scale(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);

    /// <summary>The code of five bits, 0 to 31.</summary>
    public static int Five(ReadOnlySpan<byte> low, uint high, int index) =>
        ((low[index % Half] >> (index / Half * 4)) & 0xF) | (int)(((high >> index) & 1) << 4);

    /// <summary>Scale and offset of one of eight blocks, out of twelve bytes.</summary>
    private static (int Scale, int Offset) SixBits(ReadOnlySpan<byte> bytes, int part) => part < 4
        ? (bytes[part] & 63, bytes[part + 4] & 63)
        : ((bytes[part + 4] & 0xF) | (bytes[part - 4] >> 6 << 4), (bytes[part + 4] >> 4) | (bytes[part] >> 6 << 4));
}
