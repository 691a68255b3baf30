using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Onnx.Tests.Quantization;

public sealed class BlockQuantizerTests
{
    public static TheoryData<int, int, bool, int, int, int> Cases
    {
        get
        {
            var cases = new TheoryData<int, int, bool, int, int, int>();
            foreach (var bits in BlockFormat.Widths)
                foreach (var size in BlockFormat.BlockSizes)
                    foreach (var isSymmetric in new[] { true, false })
                        foreach (var axis in new[] { 0, 1 })
                            foreach (var (rows, columns) in new[] { (128, 64), (5, 7), (129, 33), (1, 1) })
                                cases.Add(bits, size, isSymmetric, axis, rows, columns);
            return cases;
        }
    }

    /// <summary>
    /// Rounding moves a number by half a step; with a zero point, which is rounded itself, numbers at a range's end are
    /// clamped by as much again. The last digits are the division's in float32.
    /// </summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Quantize_WhateverTheForm_StaysWithinAStepOfEveryNumber(
        int bits, int size, bool isSymmetric, int axis, int rows, int columns)
    {
        var weight = Matrix(rows, columns);
        var format = new BlockFormat { Bits = bits, BlockSize = size, IsSymmetric = isSymmetric };

        var (graph, error) = Replaced(weight, axis, format);

        var found = QuantizedWeight.Find(graph.Find("w")!)!;
        var (before, after) = (weight.ToFloat32(), found.ToFloat32().ToFloat32());
        var scales = found.Node.Inputs[1]!.Initializer!;
        var share = isSymmetric ? 0.5001f : 1.0001f;
        for (var i = 0; i < before.Length; i++)
            Assert.InRange(after[i], before[i] - (share * Scale(i)), before[i] + (share * Scale(i)));
        Assert.Equal(Norm(before.Zip(after, static (a, b) => a - b)) / Norm(before), error, 1e-6);
        Assert.Equal([rows, columns], found.Dims.AsEnumerable());

        float Scale(int i)
        {
            var (row, column) = axis == 0 ? (i / columns / size, i % columns) : (i / columns, i % columns / size);
            return scales.Span<float>()[(int)((row * scales.Dims[1]) + column)];
        }
    }

    /// <summary>Blocks that hold no more different numbers than there are levels come back whole.</summary>
    [Theory]
    [InlineData(4, true, new[] { -7f, 7, 3, 0, 1, -2, 5 })]
    [InlineData(4, false, new[] { 0f, 15, 8, 1, 3 })]
    [InlineData(4, false, new[] { -5f, 10, 0, 2, -1 })]
    [InlineData(8, true, new[] { -127f, 64, 1, 0 })]
    [InlineData(8, false, new[] { -55f, 200, 0, 17 })]
    [InlineData(4, true, new[] { 0f, 0, 0 })]
    [InlineData(8, false, new[] { 0f, 0, 0 })]
    public void Quantize_WhenNumbersAreLevels_LosesNothing(int bits, bool isSymmetric, float[] numbers)
    {
        var weight = Tensor.Of<float>(numbers, [1, numbers.Length]);
        var format = new BlockFormat { Bits = bits, BlockSize = 32, IsSymmetric = isSymmetric };

        var (graph, error) = Replaced(weight, axis: 1, format);

        Assert.Equal(numbers, QuantizedWeight.Find(graph.Find("w")!)!.ToFloat32().ToFloat32());
        Assert.Equal(0, error);
    }

    [Fact]
    public void Quantize_WhenFourBits_PutsTheFirstOfTwoIntoTheLowHalf()
    {
        var weight = Tensor.Of<float>([7, -1, 2], [1, 3]);

        var quantized = BlockQuantizer.Quantize(weight, 1, new BlockFormat { Bits = 4, BlockSize = 32 });

        Assert.Equal(ElementType.Int4, quantized.Values.Type);
        Assert.Equal([0xf7, 0x02], quantized.Values.Data.Slice(0, 2).ToArray());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Quantize_WhenANumberIsNone_SaysSo(float number)
    {
        var weight = Tensor.Of<float>([1, number], [1, 2]);

        var error = Assert.ThrowsAny<ArgumentException>(() => BlockQuantizer.Quantize(weight, 1, new BlockFormat()));

        Assert.Contains("NaN", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<int, int, int, int, int> Nf4Cases => new()
    {
        { 0, 64, 128, 64, 64 },
        { 1, 32, 128, 64, 32 },
        { 0, 128, 129, 33, 43 },
        { 1, 64, 5, 7, 7 },
        { 1, 32, 3, 48, 24 },
        { 0, 32, 1, 1, 1 },
    };

    /// <summary>
    /// Within half of NF4's widest gap, between 0.696 and 1 of a block's largest magnitude, which comes back itself.
    /// </summary>
    [Theory]
    [MemberData(nameof(Nf4Cases))]
    public void Quantize_ToNf4_StaysWithinHalfAGapOfEveryNumber(int axis, int size, int rows, int columns, int actualSize)
    {
        var weight = Matrix(rows, columns);
        var format = new BlockFormat { BlockSize = size, CodeBook = CodeBook.NormalFloat4 };

        var (graph, error) = Replaced(weight, axis, format);

        var found = QuantizedWeight.Find(graph.Find("w")!)!;
        var (before, after) = (weight.ToFloat32(), found.ToFloat32().ToFloat32());
        var blocks = Enumerable.Range(0, before.Length).GroupBy(i => axis == 0
            ? (i / columns / actualSize, i % columns)
            : (i / columns, i % columns / actualSize));
        foreach (var block in blocks)
        {
            var largest = block.MaxBy(i => Math.Abs(before[i]));
            var reach = 0.15191f * Math.Abs(before[largest]);
            Assert.Equal(actualSize, block.Count());
            Assert.All(block, i => Assert.InRange(after[i], before[i] - reach, before[i] + reach));
            Assert.Equal(Math.Abs(before[largest]), block.Max(i => Math.Abs(after[i])));
        }

        Assert.Equal(Norm(before.Zip(after, static (a, b) => a - b)) / Norm(before), error, 1e-6);
        Assert.Equal([rows, columns], found.Dims.AsEnumerable());
    }

    [Fact]
    public void Replace_ByNf4_StoresFourBitsAndAScalePerBlock()
    {
        var (graph, _) = Replaced(Matrix(128, 64), 0, new BlockFormat { CodeBook = CodeBook.NormalFloat4 });

        Assert.Equal((128 * 64 / 2) + (2 * 64 * 4), QuantizedWeight.Find(graph.Find("w")!)!.ByteCount);
        Assert.InRange(graph.Initializers.Sum(static v => v.Initializer!.Data.Length), 4608, 4608 + 128);
    }

    [Theory]
    [InlineData(8, true, "Bits is 8")]
    [InlineData(4, false, "zero points")]
    public void Quantize_WhenNf4CannotBeSo_SaysWhy(int bits, bool isSymmetric, string part)
    {
        var format = new BlockFormat { Bits = bits, IsSymmetric = isSymmetric, CodeBook = CodeBook.NormalFloat4 };

        var error = Assert.ThrowsAny<ArgumentException>(() => BlockQuantizer.Quantize(Matrix(2, 2), 1, format));

        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, 64, "Bits is 3")]
    [InlineData(4, 48, "BlockSize is 48")]
    public void Quantize_WhenTheFormatIsUnknown_SaysWhatThereIs(int bits, int size, string part)
    {
        var format = new BlockFormat { Bits = bits, BlockSize = size };

        var error = Assert.ThrowsAny<ArgumentException>(() => BlockQuantizer.Quantize(Matrix(2, 2), 1, format));

        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public void Save_OfFourBits_KeepsEveryByte(bool external, bool isNf4)
    {
        using var folder = new TemporaryFolder();
        var format = isNf4
            ? new BlockFormat { BlockSize = 32, CodeBook = CodeBook.NormalFloat4 }
            : new BlockFormat { BlockSize = 32, IsSymmetric = false };
        var (graph, _) = Replaced(Matrix(129, 33), axis: 0, format, out var model);

        var options = new OnnxSaveOptions { ExternalData = external, ExternalThresholdBytes = 0 };
        OnnxFile.Save(model, folder["model.onnx"], options);

        var loaded = OnnxFile.Load(folder["model.onnx"]).Graph;
        Assert.Equal(Numbers(graph), Numbers(loaded));

        static float[] Numbers(Graph graph) => QuantizedWeight.Find(graph.Find("w")!)!.ToFloat32().ToFloat32();
    }

    private static (Graph Graph, double Error) Replaced(Tensor weight, int axis, BlockFormat format) =>
        Replaced(weight, axis, format, out _);

    private static (Graph Graph, double Error) Replaced(Tensor weight, int axis, BlockFormat format, out Model model)
    {
        model = new Model(opset: 21);
        var graph = model.Graph;
        var x = graph.AddInput("x", ElementType.Float, [1, weight.Dims[0]]);
        var value = graph.AddInitializer("w", weight);
        graph.AddOutput(graph.AddNode("MatMul", [x, value], ["y"]).Output);
        var quantized = BlockQuantizer.Quantize(weight, axis, format);
        QuantizedWeight.Replace(GraphBuilder.Over(model), value, quantized);
        return (graph, quantized.RelativeError);
    }

    /// <summary>Numbers whose blocks have ranges on both sides of zero, on one, and of different sizes.</summary>
    private static Tensor Matrix(int rows, int columns)
    {
        var numbers = Enumerable.Range(0, rows * columns).Select(static i =>
            (MathF.Sin(i * 1.7f) + (i % 3 == 0 ? 0.8f : 0)) * (1 + (i % 41)));
        return Tensor.Of<float>([.. numbers], [rows, columns]);
    }

    private static double Norm(IEnumerable<float> numbers) => Math.Sqrt(numbers.Sum(static n => (double)n * n));
}
