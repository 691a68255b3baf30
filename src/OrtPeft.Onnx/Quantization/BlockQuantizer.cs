using System.Runtime.InteropServices;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Quantization;

/// <summary>
/// Rounds matrices to few bits, block by block, each block's scale from its own largest numbers. The matrix is read in
/// rows where it lies, twice; only the result takes memory.
/// </summary>
internal static class BlockQuantizer
{
    /// <summary>Quantises a matrix.</summary>
    /// <param name="weight">Float32, two axes.</param>
    /// <param name="axis">The axis along which blocks run, 0 or 1: a linear layer's input features.</param>
    /// <param name="format">How.</param>
    /// <returns>The integers with their scales.</returns>
    /// <exception cref="ArgumentException">It is not a float32 matrix, or holds NaN or infinity.</exception>
    public static QuantizedTensor Quantize(Tensor weight, int axis, BlockFormat format)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(format);
        ArgumentOutOfRangeException.ThrowIfNegative(axis);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(axis, 1);
        format.Check();
        if (weight.Type != ElementType.Float || weight.Dims.Length != 2)
            throw new SettingException($"{weight} cannot be quantised: only Float matrices can.");
        var size = format.SizeAlong(weight.Dims[axis]);
        var blocks = new Blocks(checked((int)weight.Dims[0]), checked((int)weight.Dims[1]), axis, size);
        var (scales, zeros) = ScalesOf(weight, blocks, format);
        var (values, error) = Round(weight, blocks, format, scales, zeros);
        GC.KeepAlive(weight);
        return new QuantizedTensor(
            new Tensor(format.Type, weight.Dims, new MemoryTensorData(values)),
            Tensor.Of<float>(scales, blocks.Dims),
            format.IsSymmetric ? null : Pack(zeros, blocks, format.Type),
            error)
        {
            Axis = axis,
            BlockSize = size,
            CodeBook = format.CodeBook,
        };
    }

    /// <summary>
    /// With a code book: s = max|w|. Symmetric: s = max|w| / (2ᵇ⁻¹ − 1). Else s = (max − min) / (2ᵇ − 1) and
    /// z = −min / s, the range widened to hold 0, so that zeros stay zeros.
    /// </summary>
    private static (float[] Scales, int[] Zeros) ScalesOf(Tensor weight, Blocks blocks, BlockFormat format)
    {
        var (least, most) = (new float[blocks.Count], new float[blocks.Count]);
        for (var row = 0; row < blocks.Rows; row++)
        {
            var numbers = Row(weight, row, blocks.Columns);
            for (var column = 0; column < numbers.Length; column++)
            {
                var block = blocks.At(row, column);
                least[block] = MathF.Min(least[block], numbers[column]);
                most[block] = MathF.Max(most[block], numbers[column]);
            }
        }

        var levels = format.CodeBook is not null ? 1 : HighestOf(format);
        var zeros = new int[blocks.Count];
        for (var block = 0; block < blocks.Count; block++)
        {
            var range = format.IsSymmetric ? MathF.Max(-least[block], most[block]) : most[block] - least[block];
            if (!float.IsFinite(range))
                throw new SettingException(
                    $"{weight} cannot be quantised: it holds NaN, infinity or too large numbers.");
            most[block] = range / levels is > 0 and var scale ? scale : 1;
            zeros[block] = format.IsSymmetric ? 0 : (int)MathF.Round(-least[block] / most[block]);
        }

        return (most, zeros);
    }

    private static (byte[] Values, double RelativeError) Round(
        Tensor weight, Blocks blocks, BlockFormat format, float[] scales, int[] zeros)
    {
        var values = new byte[format.Type.ByteCount(weight.Count)];
        var highest = HighestOf(format);
        var lowest = format.IsSymmetric ? -highest : 0;
        var (lost, all) = (0.0, 0.0);
        for (var row = 0; row < blocks.Rows; row++)
        {
            var numbers = Row(weight, row, blocks.Columns);
            for (var column = 0; column < numbers.Length; column++)
            {
                var (block, number) = (blocks.At(row, column), numbers[column]);
                var units = number / scales[block];
                var value = format.CodeBook?.Nearest(units)
                    ?? Math.Clamp((int)MathF.Round(units) + zeros[block], lowest, highest);
                PackedIntegers.Set(values, format.Type, ((long)row * numbers.Length) + column, value);
                var level = format.CodeBook?.Values[value] ?? value - zeros[block];
                var difference = (double)number - (scales[block] * level);
                lost += difference * difference;
                all += (double)number * number;
            }
        }

        return (values, all > 0 ? Math.Sqrt(lost / all) : 0);
    }

    private static int HighestOf(BlockFormat format) =>
        format.IsSymmetric ? (1 << (format.Bits - 1)) - 1 : (1 << format.Bits) - 1;

    private static Tensor Pack(int[] zeros, Blocks blocks, ElementType type)
    {
        var bytes = new byte[type.ByteCount(zeros.Length)];
        for (var i = 0; i < zeros.Length; i++)
            PackedIntegers.Set(bytes, type, i, zeros[i]);
        return new Tensor(type, [.. blocks.Dims], new MemoryTensorData(bytes));
    }

    /// <summary>A row where it lies; the caller keeps the weight alive.</summary>
    private static ReadOnlySpan<float> Row(Tensor weight, int row, int columns) =>
        MemoryMarshal.Cast<byte, float>(
            weight.Data.Window((long)row * columns * sizeof(float), columns * sizeof(float)));
}
