using OrtPeft.Kernels.Layouts;

namespace OrtPeft.Kernels.Tests.Layouts;

public sealed class Bf16RowsTests
{
    /// <summary>float32 and what it is in bfloat16, bit by bit.</summary>
    private static readonly (uint Wide, ushort Narrow)[] _numbers =
    [
        (0x00000000, 0x0000), (0x80000000, 0x8000),
        (0x3f800000, 0x3f80), (0xbf810000, 0xbf81),
        (0x3f808000, 0x3f80), (0x3f818000, 0x3f82), // as near to both: the even one
        (0xbf808000, 0xbf80), (0xbf818000, 0xbf82),
        (0x3f808001, 0x3f81), (0x3f807fff, 0x3f80),
        (0x3fffffff, 0x4000), // the next power of two
        (0x7f7fffff, 0x7f80), (0xff7fffff, 0xff80), // beyond the largest
        (0x7f7f7fff, 0x7f7f),
        (0x7f800000, 0x7f80), (0xff800000, 0xff80), // infinite
        (0x00000001, 0x0000), (0x00008000, 0x0000), (0x00008001, 0x0001), (0x00018000, 0x0002), // subnormal
        (0x807f8000, 0x8080), (0x007fffff, 0x0080), (0x80400000, 0x8040),
        (0x7fc00000, 0x7fc0), (0xffc12345, 0xffc1), // not a number
        (0x7f800001, 0x7fc0), (0x7fffffff, 0x7fff), (0xff80ffff, 0xffc0),
    ];

    /// <summary>In a process of its own with narrower vectors, too (<see cref="Widths.WidthCheck"/>).</summary>
    [Fact]
    public void NarrowAndWiden_OfEveryKindOfNumber_GiveTheseBits() => MustBeExact();

    /// <summary>In rows of every length up to more than two of the widest vectors, each number at each place.</summary>
    internal static unsafe void MustBeExact()
    {
        const int Most = 70;
        var (wide, narrow, back) = (new uint[Most], new ushort[Most + 1], new uint[Most + 1]);
        for (var count = 0; count <= Most; count++)
        {
            for (var start = 0; start < _numbers.Length; start++)
            {
                for (var i = 0; i < Most; i++)
                    wide[i] = _numbers[(start + i) % _numbers.Length].Wide;
                (narrow[count], back[count]) = (0x1234, 0x12345678);
                fixed (uint* x = wide, z = back)
                fixed (ushort* y = narrow)
                {
                    Bf16Rows.Narrow((float*)x, y, count);
                    Bf16Rows.Widen(y, (float*)z, count);
                }

                var expected = Enumerable.Range(0, count).Select(i => _numbers[(start + i) % _numbers.Length].Narrow);
                Assert.Equal([.. expected, 0x1234], narrow[..(count + 1)]);
                Assert.Equal([.. narrow[..count].Select(static n => (uint)n << 16), 0x12345678], back[..(count + 1)]);
            }
        }
    }
}
