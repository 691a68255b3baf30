using System.Runtime.InteropServices;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Tensors.Tests.Numerics;

public sealed class NormalNumbersTests
{
    [Fact]
    public void Fill_OnEveryMachine_GivesTheSameBits()
    {
        var values = new float[12];

        NormalNumbers.Of(1, "transformer.wte.weight").Fill(1_000_000_007, values);

        const string Bits = "3AB9F7BE0DEAECBF2082603D4C5250BFEFE7C4BFCD8CA0BF" +
            "CDD1933F2828A23FEC20F6BE408E563F0084A33FFC2A9F3E";
        Assert.Equal(Bits, Convert.ToHexString(MemoryMarshal.AsBytes(values.AsSpan())));
    }

    [Fact]
    public void Fill_HasRadiiOfUniformNumbers()
    {
        var values = new float[1 << 16];

        NormalNumbers.Of(1, "x").Fill(0, values);

        // r² = −2 ln u has u uniform, so the mean of u = exp(−r²/2) is a half and its variance a twelfth.
        var uniform = new List<double>();
        for (var block = 0; block < values.Length; block += 16)
            for (var lane = 0; lane < 8; lane++)
                uniform.Add(Math.Exp(-0.5 * (Square(values[block + lane]) + Square(values[block + 8 + lane]))));
        Assert.InRange(uniform.Average(), 0.495, 0.505);
        Assert.InRange(uniform.Average(static u => (u - 0.5) * (u - 0.5)), 0.082, 0.0847);

        static double Square(float v) => (double)v * v;
    }
}
