using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Quantization;

/// <summary>A matrix in few bits.</summary>
/// <param name="Values">The integers or codes, with the matrix' axes; 4-bit ones two to a byte, the first in the low
/// half.</param>
/// <param name="Scales">One float32 per block, with the matrix' axes but for that of the blocks.</param>
/// <param name="ZeroPoints">One integer per block, of the values' type and the scales' axes; null when all are
/// 0.</param>
/// <param name="RelativeError">‖W − Ŵ‖ / ‖W‖, Frobenius; 0 for a matrix of zeros.</param>
public sealed record QuantizedTensor(Tensor Values, Tensor Scales, Tensor? ZeroPoints, double RelativeError)
{
    /// <summary>The axis along which blocks run, 0 or 1.</summary>
    public required int Axis { get; init; }

    /// <summary>Elements per block; the last along the axis may have fewer.</summary>
    public required int BlockSize { get; init; }

    /// <summary>The numbers that codes stand for; null where the values are integers.</summary>
    public CodeBook? CodeBook { get; init; }

    /// <summary>Bits of a code or integer: 4 or 8.</summary>
    public int Bits => Values.Type.BitSize();

    /// <summary>Whether integers have a sign.</summary>
    public bool IsSigned => Values.Type is ElementType.Int4 or ElementType.Int8;

    /// <summary>The number that a code stands for before it is shifted and scaled.</summary>
    /// <param name="code">As many of its lowest bits as there are.</param>
    /// <returns>The code book's number or the integer.</returns>
    public float NumberOf(int code) =>
        CodeBook?.Values[code] ?? (IsSigned && code >> (Bits - 1) != 0 ? code - (1 << Bits) : code);

    /// <summary>Some of the matrix' columns.</summary>
    /// <param name="first">The first one.</param>
    /// <param name="count">How many.</param>
    /// <returns>New tensors, which remember what they are a part of.</returns>
    /// <exception cref="NotSupportedException">Blocks run along the columns.</exception>
    internal QuantizedTensor Columns(int first, int count)
    {
        if (Axis != 0 || CodeBook is not null)
            throw new NotSupportedException($"{Values} has blocks along its columns.");
        return this with
        {
            Values = Columns(Values, first, count),
            Scales = new ColumnsTensorData(Scales, first, count).ToTensor(),
            ZeroPoints = ZeroPoints is null ? null : Columns(ZeroPoints, first, count),
        };
    }

    /// <summary>Whether matrices are quantised alike, so that their columns can stand side by side in one.</summary>
    internal static bool CanBeJoined(IReadOnlyList<QuantizedTensor> matrices)
    {
        var first = matrices[0];
        return matrices.All(m => m is { Axis: 0, CodeBook: null } && m.BlockSize == first.BlockSize
            && m.Values.Type == first.Values.Type && m.Values.Dims[0] == first.Values.Dims[0]
            && m.ZeroPoints is null == first.ZeroPoints is null);
    }

    /// <summary>The columns of matrices side by side.</summary>
    /// <param name="matrices">Matrices that <see cref="CanBeJoined"/>.</param>
    /// <returns>New tensors, which remember what they were joined of.</returns>
    internal static QuantizedTensor Joined(IReadOnlyList<QuantizedTensor> matrices) => matrices[0] with
    {
        Values = Joined([.. matrices.Select(static m => m.Values)]),
        Scales = new JoinedColumnsTensorData([.. matrices.Select(static m => m.Scales)]).ToTensor(),
        ZeroPoints = matrices[0].ZeroPoints is null ? null : Joined([.. matrices.Select(static m => m.ZeroPoints!)]),
        RelativeError = matrices.Max(static m => m.RelativeError),
    };

    private static Tensor Joined(IReadOnlyList<Tensor> parts)
    {
        var (type, rows, width) = (parts[0].Type, parts[0].Dims[0], parts.Sum(static p => p.Dims[1]));
        var (result, first) = (new byte[type.ByteCount(rows * width)], 0L);
        foreach (var part in parts)
        {
            var source = PackedIntegers.BytesOf(part);
            var columns = (int)part.Dims[1];
            for (var i = 0; i < part.Count; i++)
            {
                var (row, column) = Math.DivRem(i, columns);
                PackedIntegers.Set(result, type, (row * width) + first + column, PackedIntegers.Get(source, type, i));
            }

            first += columns;
        }

        return new Tensor(type, [rows, width], new DerivedTensorData(new MemoryTensorData(result), null, parts));
    }

    private static Tensor Columns(Tensor integers, int first, int count)
    {
        var (rows, columns) = (checked((int)integers.Dims[0]), checked((int)integers.Dims[1]));
        var source = PackedIntegers.BytesOf(integers);
        var result = new byte[integers.Type.ByteCount((long)rows * count)];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < count; column++)
            {
                var value = PackedIntegers.Get(source, integers.Type, (row * columns) + first + column);
                PackedIntegers.Set(result, integers.Type, ((long)row * count) + column, value);
            }
        }

        var data = new DerivedTensorData(new MemoryTensorData(result), new TensorOrigin(integers, first, count));
        return new Tensor(integers.Type, [rows, count], data);
    }

    /// <summary>The codes of a row of <see cref="Values"/>, a byte each, without a sign.</summary>
    /// <param name="row">The row.</param>
    /// <param name="codes">Where they go; as many as there are columns.</param>
    public void CopyCodes(int row, Span<byte> codes)
    {
        var first = row * Values.Dims[1];
        if (Bits == 8)
        {
            Values.Data.Window(first, codes.Length).CopyTo(codes);
        }
        else
        {
            var odd = (int)(first % 2);
            var bytes = Values.Data.Window(first / 2, (codes.Length + odd + 1) / 2);
            for (var i = 0; i < codes.Length; i++)
                codes[i] = (byte)((bytes[(i + odd) / 2] >> ((i + odd) % 2 * 4)) & 0xf);
        }

        GC.KeepAlive(Values);
    }

    /// <summary>The zero points as numbers.</summary>
    /// <returns>One for each block; none where all are 0.</returns>
    public float[] ZeroPointsToFloat32()
    {
        if (ZeroPoints is null)
            return [];
        var bytes = PackedIntegers.BytesOf(ZeroPoints);
        var numbers = new float[checked((int)ZeroPoints.Count)];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = PackedIntegers.Get(bytes, ZeroPoints.Type, i);
        return numbers;
    }

    /// <summary>The numbers that the integers stand for.</summary>
    /// <returns>A new tensor of the matrix' axes, float32.</returns>
    public Tensor ToFloat32()
    {
        var blocks = new Blocks(checked((int)Values.Dims[0]), checked((int)Values.Dims[1]), Axis, BlockSize);
        var scales = Scales.ToFloat32();
        var values = PackedIntegers.BytesOf(Values);
        var zeroPoints = ZeroPoints is null ? [] : PackedIntegers.BytesOf(ZeroPoints);
        var result = new float[checked((int)Values.Count)];
        for (var i = 0; i < result.Length; i++)
        {
            var block = blocks.At(i / blocks.Columns, i % blocks.Columns);
            var value = PackedIntegers.Get(values, Values.Type, i);
            var zero = ZeroPoints is null ? 0 : PackedIntegers.Get(zeroPoints, ZeroPoints.Type, block);
            result[i] = scales[block] * (CodeBook?.Values[value] ?? value - zero);
        }

        return Tensor.Of<float>(result, Values.Dims.AsSpan());
    }
}
