using OrtPeft.Onnx.Quantization;

namespace OrtPeft.Onnx.Tests.Quantization;

public sealed class CodeBookTests
{
    /// <summary>
    /// QLoRA, section 3: quantiles of N(0, 1) at evenly spaced probabilities from 1/2 to δ, eight on the positive side
    /// and seven on the negative one, zero, all over the largest. With δ = 0.9677083, the mean of 1 − 1/30 and
    /// 1 − 1/32, as appendix E has it. The table's numbers are float32.
    /// </summary>
    [Fact]
    public void NormalFloat4_IsTheQuantilesOfANormalDistribution()
    {
        const double End = 0.9677083;
        var positive = Enumerable.Range(0, 8).Select(static i => Quantile(End + ((0.5 - End) * i / 8)));
        var negative = Enumerable.Range(0, 7).Select(static i => -Quantile(End + ((0.5 - End) * i / 7)));
        double[] expected = [.. positive.Concat(negative).Append(0).Order()];

        var values = CodeBook.NormalFloat4.Values;

        Assert.Equal(16, values.Count);
        for (var i = 0; i < 16; i++)
            Assert.Equal(expected[i] / expected[^1], values[i], 1e-6);
    }

    [Fact]
    public void Nearest_OfEveryValue_IsItsOwnCode() =>
        Assert.All(CodeBook.NormalFloat4.Values.Index(), static v => Assert.Equal(
            v.Index, CodeBook.NormalFloat4.Nearest(v.Item)));

    [Fact]
    public void Nearest_OfAnyNumber_LeavesNoneCloser()
    {
        for (var number = -1.1f; number < 1.1f; number += 0.0001f)
        {
            var code = CodeBook.NormalFloat4.Nearest(number);

            var distances = CodeBook.NormalFloat4.Values.Select(v => Math.Abs(v - number)).ToArray();
            Assert.InRange(distances[code], 0, distances.Min() + 1e-7); // the middle of two values is rounded
        }
    }

    /// <summary>Φ⁻¹ by bisection of Φ(x) = ½ + φ(x)·Σ x²ᵏ⁺¹ / (1·3·…·(2k + 1)).</summary>
    private static double Quantile(double probability)
    {
        var (low, high) = (-4.0, 4.0);
        for (var step = 0; step < 60; step++)
        {
            var middle = (low + high) / 2;
            (low, high) = Cumulative(middle) < probability ? (middle, high) : (low, middle);
        }

        return low;
    }

    private static double Cumulative(double x)
    {
        var (term, sum) = (x, x);
        for (var k = 1; k < 100; k++)
        {
            term *= x * x / ((2 * k) + 1);
            sum += term;
        }

        return 0.5 + (sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI));
    }
}
