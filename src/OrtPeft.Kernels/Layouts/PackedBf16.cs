using System.Numerics;
using System.Runtime.InteropServices;
using OrtPeft.Kernels.Loops;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Kernels.Layouts;

/// <summary>
/// A constant matrix [rows, columns] in bfloat16, in panels of as many columns, and filled up to as many rows and columns,
/// as <see cref="PackedMatrix"/>'s: [panels, pairs of rows, columns, 2], as products of pairs read it. Numbers are rounded
/// to the nearest, of two to the even one.
/// </summary>
public static unsafe class PackedBf16
{
    private const int Width = PackedMatrix.Width;

    /// <summary>How many rows of a panel are turned at once; even.</summary>
    private const int RowsAtOnce = 64;

    private const int HalfBits = 16;
    private const uint UpperHalf = 0xffff0000;
    private const uint QuietNaN = 0x40;

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
            ? (ushort)((bits >> HalfBits) | QuietNaN)
            : (ushort)((bits + 0x7fff + ((bits >> HalfBits) & 1)) >> HalfBits);
    }

    /// <summary>Two rows, into all panels.</summary>
    private static void PutRows(Tensor matrix, long pair, AlignedTensorData packed, long pairs)
    {
        var (rows, columns) = (matrix.Dims[0], checked((int)matrix.Dims[1]));
        var even = Row(2 * pair);
        var odd = Row((2 * pair) + 1);
        for (var panel = 0; panel < PackedMatrix.Panels(columns); panel++)
        {
            var start = panel * Width;
            Put(Numbers(even, start), Numbers(odd, start), Part(packed, panel, pairs, pair, 1));
        }

        ReadOnlySpan<float> Row(long row) =>
            row < rows ? PackedMatrix.Floats(matrix.Data, row * columns, columns) : [];

        static ReadOnlySpan<float> Numbers(ReadOnlySpan<float> row, int start) =>
            row.IsEmpty ? row : row.Slice(start, Math.Min(Width, row.Length - start));
    }

    /// <summary>The columns of one panel, which are the matrix' rows.</summary>
    private static void PutColumns(Tensor matrix, long panel, Span<uint> target)
    {
        var (columns, rows) = (matrix.Dims[0], checked((int)matrix.Dims[1]));
        var there = (int)Math.Min(Width, columns - (panel * Width));
        Span<float> turned = stackalloc float[RowsAtOnce * Width];
        fixed (float* source = PackedMatrix.Floats(matrix.Data, panel * Width * rows, checked(there * rows)), y = turned)
        {
            for (var first = 0; first < rows; first += RowsAtOnce)
            {
                var count = Math.Min(RowsAtOnce, rows - first);
                Squares.TurnRows(source + first, rows, there, count, y, Width);
                for (var row = 0; row < count; row += 2)
                {
                    var odd = row + 1 < count ? turned.Slice((row + 1) * Width, Width) : [];
                    Put(turned.Slice(row * Width, Width), odd, target.Slice((first + row) / 2 * Width, Width));
                }
            }
        }

        target[((rows + 1) / 2 * Width)..].Clear();
    }

    /// <summary>Numbers of two rows side by side; those that are missing are 0.</summary>
    private static void Put(ReadOnlySpan<float> even, ReadOnlySpan<float> odd, Span<uint> target)
    {
        var i = 0;
        for (; i <= Math.Min(even.Length, odd.Length) - Vector<float>.Count; i += Vector<float>.Count)
        {
            var (low, high) = (Rounded(new Vector<float>(even[i..])), Rounded(new Vector<float>(odd[i..])));
            ((low >> HalfBits) | (high & new Vector<uint>(UpperHalf))).CopyTo(target[i..]);
        }

        for (; i < target.Length; i++)
        {
            var low = i < even.Length ? Round(even[i]) : 0u;
            target[i] = low | ((i < odd.Length ? Round(odd[i]) : 0u) << HalfBits);
        }
    }

    /// <summary>The upper halves are the numbers; of the lower ones nothing is said.</summary>
    private static Vector<uint> Rounded(Vector<float> numbers)
    {
        var bits = Vector.AsVectorUInt32(numbers);
        var rounded = bits + new Vector<uint>(0x7fff) + ((bits >> HalfBits) & Vector<uint>.One);
        var isNumber = Vector.AsVectorUInt32(Vector.Equals(numbers, numbers));
        return Vector.ConditionalSelect(isNumber, rounded, bits | new Vector<uint>(QuietNaN << HalfBits));
    }

    private static Span<uint> Part(AlignedTensorData packed, long panel, long pairs, long first, long count) =>
        MemoryMarshal.Cast<byte, uint>(packed.Writable(
            ((panel * pairs) + first) * Width * sizeof(uint), checked((int)(count * Width * sizeof(uint)))));
}
