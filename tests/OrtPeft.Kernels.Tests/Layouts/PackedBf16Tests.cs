using System.Runtime.InteropServices;
using OrtPeft.Kernels.Layouts;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Tests.Layouts;

public sealed unsafe class PackedBf16Tests
{
    private const int Width = PackedMatrix.Width;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(48, 96)]
    [InlineData(47, 49)]
    [InlineData(131, 50)]
    public void Pack_OfEitherLayout_PutsPairsOfRoundedNumbersIntoTheirPanel(int rows, int columns)
    {
        var random = new Random(rows + columns);
        var numbers = Enumerable.Range(0, rows * columns).Select(i => Awkward(random, i)).ToArray();
        var turned = Enumerable.Range(0, rows * columns)
            .Select(i => numbers[(i % rows * columns) + (i / rows)]).ToArray();
        var (panels, height) = ((columns + Width - 1) / Width, (rows + Width - 1) / Width * Width);
        var expected = Enumerable.Range(0, panels * height * Width).Select(i =>
        {
            var (panel, pair, place) = (i / (height * Width), i / (2 * Width) % (height / 2), i % (2 * Width));
            var (row, column) = ((2 * pair) + (place % 2), (panel * Width) + (place / 2));
            return row < rows && column < columns ? Rounded(numbers[(row * columns) + column]) : (ushort)0;
        }).ToArray();

        DirtyMemory(expected.Length * sizeof(ushort));
        Assert.Equal(expected, Packed(Tensor.Of<float>(numbers, [rows, columns]), isTransposed: false));
        DirtyMemory(expected.Length * sizeof(ushort));
        Assert.Equal(expected, Packed(Tensor.Of<float>(turned, [columns, rows]), isTransposed: true));
    }

    private static ushort[] Packed(Tensor matrix, bool isTransposed)
    {
        var data = PackedBf16.Pack(matrix, isTransposed).Data;
        return data.View(0, (int)data.Length, static bytes => MemoryMarshal.Cast<byte, ushort>(bytes).ToArray());
    }

    /// <summary>Ties to either side, NaN of small payload, infinities, the largest number, subnormals, and any.</summary>
    private static float Awkward(Random random, int i) => (i % 11) switch
    {
        0 => BitConverter.UInt32BitsToSingle(0x3f808000),
        1 => BitConverter.UInt32BitsToSingle(0x3f818000),
        2 => BitConverter.UInt32BitsToSingle(0xff800001),
        3 => float.PositiveInfinity,
        4 => float.NegativeInfinity,
        5 => float.MaxValue,
        6 => -float.Epsilon,
        7 => -0f,
        _ => (random.NextSingle() - 0.5f) * MathF.Pow(2, random.Next(-30, 30)),
    };

    /// <summary>The nearest of the numbers with eight bits less, by float64; of two the even one.</summary>
    private static ushort Rounded(float x)
    {
        var bits = BitConverter.SingleToUInt32Bits(x);
        if (float.IsNaN(x))
            return (ushort)((bits >> 16) | 0x40);
        if (float.IsInfinity(x))
            return (ushort)(bits >> 16);
        var (low, high) = (bits & 0xffff0000, (bits & 0xffff0000) + 0x10000);
        var rest = bits & 0xffff;
        var isUp = rest > 0x8000 || (rest == 0x8000 && ((low >> 16) & 1) == 1);
        return (ushort)((isUp ? high : low) >> 16);
    }

    /// <summary>What is taken next is likely this block, so that zeros must have been written.</summary>
    private static void DirtyMemory(int bytes)
    {
        var block = NativeMemory.AlignedAlloc((nuint)bytes, 64);
        new Span<byte>(block, bytes).Fill(0xff);
        NativeMemory.AlignedFree(block);
    }
}
