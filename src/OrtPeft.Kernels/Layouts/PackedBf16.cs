using System.Runtime.InteropServices;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Kernels.Layouts;

/// <summary>
/// A constant matrix [rows, columns] in bfloat16, in panels of as many columns, and filled up to as many rows and columns,
/// as <see cref="PackedMatrix"/>'s: [panels, pairs of rows, columns, 2], as products of pairs read it. Numbers are rounded
/// to the nearest, of two to the even one.
/// </summary>
public static class PackedBf16
{
    private const int Width = PackedMatrix.Width;

    /// <summary>Numbers that a pair of rows has in a panel.</summary>
    internal const int PairWidth = 2 * Width;

    /// <summary>Copies a matrix into panels.</summary>
    /// <param name="matrix">[rows, columns] float32, or [columns, rows] where it is transposed.</param>
    /// <param name="isTransposed">Whether the second is the case.</param>
    /// <returns>[panels, pairs of rows, 2 · <see cref="PackedMatrix.Width"/>] bfloat16.</returns>
    public static Tensor Pack(Tensor matrix, bool isTransposed)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        var (rows, columns) = isTransposed ? (matrix.Dims[1], matrix.Dims[0]) : (matrix.Dims[0], matrix.Dims[1]);
        var (panels, pairs) = (PackedMatrix.Panels(columns), PackedMatrix.Panels(rows) * Width / 2);
        var packed = new AlignedTensorData(checked(panels * pairs * PairWidth * sizeof(ushort)));
        if (isTransposed)
            Parallel.For(0, panels, panel => PutColumns(matrix, panel, Part(packed, panel, pairs, 0, pairs)));
        else
            Parallel.For(0, pairs, pair => PutRows(matrix, pair, packed, pairs));
        GC.KeepAlive(matrix);
        GC.KeepAlive(packed);
        return new Tensor(ElementType.BFloat16, [panels, pairs, PairWidth], packed, matrix.Name);
    }

    /// <summary>A number's upper half, rounded; NaN stays NaN.</summary>
    internal static ushort Round(float number)
    {
        var bits = BitConverter.SingleToUInt32Bits(number);
        return float.IsNaN(number)
            ? (ushort)((bits >> 16) | 0x40)
            : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>Two rows, into all panels.</summary>
    private static void PutRows(Tensor matrix, long pair, AlignedTensorData packed, long pairs)
    {
        var (rows, columns) = (matrix.Dims[0], checked((int)matrix.Dims[1]));
        for (var panel = 0L; panel < PackedMatrix.Panels(columns); panel++)
            Part(packed, panel, pairs, pair, 1).Clear();
        for (var side = 0; side < 2 && (2 * pair) + side < rows; side++)
        {
            var source = PackedMatrix.Floats(matrix.Data, ((2 * pair) + side) * columns, columns);
            for (var start = 0; start < columns; start += Width)
            {
                var target = Part(packed, start / Width, pairs, pair, 1);
                for (var i = 0; i < Math.Min(Width, columns - start); i++)
                    target[(2 * i) + side] = Round(source[start + i]);
            }
        }
    }

    /// <summary>The columns of one panel, which are the matrix' rows.</summary>
    private static void PutColumns(Tensor matrix, long panel, Span<ushort> target)
    {
        var (columns, rows) = (matrix.Dims[0], checked((int)matrix.Dims[1]));
        target.Clear();
        for (var column = 0; column < Math.Min(Width, columns - (panel * Width)); column++)
        {
            var source = PackedMatrix.Floats(matrix.Data, ((panel * Width) + column) * rows, rows);
            for (var row = 0; row < rows; row++)
                target[(row / 2 * PairWidth) + (2 * column) + (row % 2)] = Round(source[row]);
        }
    }

    private static Span<ushort> Part(AlignedTensorData packed, long panel, long pairs, long first, long count) =>
        MemoryMarshal.Cast<byte, ushort>(packed.Writable(
            ((panel * pairs) + first) * PairWidth * sizeof(ushort),
            checked((int)(count * PairWidth * sizeof(ushort)))));
}
