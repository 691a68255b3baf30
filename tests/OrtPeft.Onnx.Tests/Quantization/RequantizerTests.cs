using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Quantization;

public sealed class RequantizerTests
{
    public static TheoryData<int, bool, int> Schemes => new()
    {
        { 4, true, 0 }, { 4, false, 0 }, { 8, true, 0 }, { 8, false, 1 }, { 4, true, 1 },
    };

    [Theory]
    [MemberData(nameof(Schemes))]
    public void Of_UnchangedNumbers_KeepsAllBits(int bits, bool isSymmetric, int axis)
    {
        var old = Quantized(bits, isSymmetric, axis);

        var again = new Requantizer(old, bits).Of(old.ToFloat32().ToFloat32());

        Assert.Equal(Bytes(old.Values), Bytes(again.Values));
        Assert.Equal(old.Scales.ToFloat32(), again.Scales.ToFloat32());
        Assert.Equal(0, again.RelativeError);
    }

    /// <summary>No worse than quantising the numbers from the start, and other blocks stay.</summary>
    [Theory]
    [MemberData(nameof(Schemes))]
    public void Of_OneChangedNumber_ChangesItsBlockAlone(int bits, bool isSymmetric, int axis)
    {
        var old = Quantized(bits, isSymmetric, axis);
        var numbers = old.ToFloat32().ToFloat32();
        var before = numbers.ToArray();
        numbers[0] += 3;

        var again = new Requantizer(old, bits).Of(numbers).ToFloat32().ToFloat32();

        var (rows, columns) = ((int)old.Values.Dims[0], (int)old.Values.Dims[1]);
        for (var i = 0; i < again.Length; i++)
        {
            var isInBlock = axis == 0 ? i % columns == 0 && i / columns < 32 : i < Math.Min(32, columns);
            if (!isInBlock)
                Assert.Equal(before[i], again[i]);
        }

        Assert.InRange(again[0], numbers[0] - 0.5f, numbers[0] + 0.5f);
        Assert.Equal(rows * columns, again.Length);
    }

    [Fact]
    public void Of_WhenScalesStay_RoundsToThem()
    {
        var old = Quantized(8, isSymmetric: true, axis: 0);
        var numbers = Array.ConvertAll(old.ToFloat32().ToFloat32(), static n => n * 0.9f);

        var again = new Requantizer(old, 8) { KeepsScales = true }.Of(numbers);

        Assert.Equal(old.Scales.ToFloat32(), again.Scales.ToFloat32());
        Assert.InRange(again.RelativeError, 1e-9, 1);
    }

    /// <summary>Numbers far beyond the old scale take the largest integer of their sign, not one that went round.</summary>
    [Fact]
    public void Of_WhenScalesStay_SaturatesWithTheNumbersSign()
    {
        var old = Quantized(8, isSymmetric: false, axis: 0);
        float[] numbers = [.. old.ToFloat32().ToFloat32().Select(static (_, i) => i % 2 == 0 ? 1e30f : -1e30f)];

        var again = new Requantizer(old, 8) { KeepsScales = true }.Of(numbers).ToFloat32().ToFloat32();

        Assert.All(again.Zip(numbers), static pair => Assert.Equal(Math.Sign(pair.Second), Math.Sign(pair.First)));
    }

    /// <summary>A scale that half precision cannot hold is none to choose.</summary>
    [Fact]
    public void Of_WhenTheBestScaleCannotBeStored_TakesAnother()
    {
        var old = Quantized(4, isSymmetric: true, axis: 0);
        float[] numbers = [.. Enumerable.Repeat(1e6f, old.Values.Dims.Aggregate(1, static (n, d) => n * (int)d))];

        var again = new Requantizer(old, 4) { Stored = static s => (float)(Half)s }.Of(numbers);

        Assert.All(again.Scales.ToFloat32(), static s => Assert.True(float.IsFinite(s)));
        Assert.True(double.IsFinite(again.RelativeError));
    }

    private static QuantizedTensor Quantized(int bits, bool isSymmetric, int axis)
    {
        var random = new Random(3);
        var numbers = Enumerable.Range(0, 64 * 48).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
        var format = new BlockFormat { Bits = bits, BlockSize = 32, IsSymmetric = isSymmetric };
        return BlockQuantizer.Quantize(Tensor.Of<float>(numbers, [64, 48]), axis, format);
    }

    private static byte[] Bytes(Tensor tensor) => tensor.Data.Slice(0, (int)tensor.Data.Length).ToArray();
}
