using OrtPeft.Kernels.Layouts;
using OrtPeft.Kernels.MachineCode;

namespace OrtPeft.Kernels.Tests.MachineCode;

/// <summary>Where the processor has no products of bfloat16, there is no code to compare, and the reason is told.
/// </summary>
public sealed unsafe class Bf16CodeTests
{
    private const int Rows = 8, Width = PackedMatrix.Width;

    /// <summary>Of sums of some hundred products of numbers below 1, each exact in float32: rounding in another order.
    /// </summary>
    private const double Tolerance = 2e-5;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(24)]
    [InlineData(192)]
    public void Multiply_OfRandomPairs_IsTheReference(int pairs)
    {
        if (Bf16Code.Obstacle is { } obstacle)
        {
            Assert.NotEmpty(obstacle);
            return;
        }

        var random = new Random(pairs);
        uint[] a = [.. Enumerable.Range(0, pairs * Rows).Select(_ => Pair(random))];
        uint[] b = [.. Enumerable.Range(0, pairs * Width).Select(_ => Pair(random))];
        float[] s = [.. Enumerable.Range(0, Rows * Width).Select(_ => random.NextSingle())];
        var (stride, actual, expected) = (Width + 3, new float[Rows * (Width + 3)], new float[Rows * (Width + 3)]);
        fixed (uint* pA = a, pB = b)
        fixed (float* pS = s, pActual = actual, pExpected = expected)
        {
            var tile = new Bf16Tile
            {
                A = pA,
                B = pB,
                Pairs = pairs,
                C = pActual,
                Stride = stride * sizeof(float),
                S = pS,
                SumStride = Width * sizeof(float),
                Ahead = (byte*)pA,
            };
            Bf16Code.Multiply(&tile);
            tile.C = pExpected;
            Bf16Reference.Multiply(in tile);
        }

        Assert.All(expected.Zip(actual), static p => Assert.Equal(p.First, p.Second, Tolerance));
        Assert.All(Enumerable.Range(0, Rows), row => Assert.Equal(0, actual[(row * stride) + Width])); // behind a row
    }

    [Fact]
    public void Round_OfEveryKindOfNumber_IsTheReference()
    {
        if (Bf16Code.Obstacle is { } obstacle)
        {
            Assert.NotEmpty(obstacle);
            return;
        }

        float[] kinds =
        [
            0, -0f, 1, -1, 1.00390625f, 1.01171875f, float.MaxValue, float.MinValue, float.PositiveInfinity,
            float.NegativeInfinity, float.NaN, BitConverter.UInt32BitsToSingle(0x7f800001), 1e-37f, 3.14159274f, -2.5e9f, 7,
        ];
        var random = new Random(5);
        float[] x = [.. kinds, .. Enumerable.Range(0, 1008).Select(_ => (random.NextSingle() - 0.5f) * 100)];
        var (actual, expected) = (new ushort[x.Length], new ushort[x.Length]);
        fixed (float* pX = x)
        fixed (ushort* pActual = actual, pExpected = expected)
        {
            var rounding = new Bf16Rounding { X = pX, Y = pActual, Vectors = x.Length / 16 };
            Bf16Code.Round(&rounding);
            rounding.Y = pExpected;
            Bf16Reference.Round(in rounding);
        }

        Assert.Equal(expected, actual);
    }

    private static uint Pair(Random random) =>
        PackedBf16.Round(random.NextSingle() - 0.5f) | ((uint)PackedBf16.Round(random.NextSingle() - 0.5f) << 16);
}
