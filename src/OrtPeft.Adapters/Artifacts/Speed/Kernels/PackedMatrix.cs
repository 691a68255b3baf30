using System.Runtime.InteropServices;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Storage;

namespace OrtPeft.Adapters.Artifacts.Speed.Kernels;

/// <summary>
/// A constant matrix [rows, columns] in the order that <see cref="FusedOps.MatMul"/> reads: panels of
/// <see cref="Width"/> columns, one after the other, each row by row. Rows and columns are filled up with zeros to
/// multiples of <see cref="Width"/>, so that a panel consists of squares, which
/// <see cref="FusedOps.MatMulTransposed"/> turns as it goes: one copy serves both directions.
/// </summary>
public static class PackedMatrix
{
    /// <summary>Columns of a panel: three vectors of 512 bits.</summary>
    public const int Width = 48;

    /// <summary>How many panels, or squares of a panel, a number of columns or rows takes.</summary>
    /// <param name="count">Rows or columns.</param>
    /// <returns>The count over <see cref="Width"/>, rounded up.</returns>
    public static long Panels(long count) => (count + Width - 1) / Width;

    /// <summary>Copies a matrix into panels.</summary>
    /// <param name="matrix">[rows, columns] float32, or [columns, rows] where it is transposed.</param>
    /// <param name="isTransposed">Whether the second is the case. Default false.</param>
    /// <returns>[panels, rows filled up, <see cref="Width"/>].</returns>
    public static Tensor Pack(Tensor matrix, bool isTransposed = false)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        var (rows, columns) = isTransposed ? (matrix.Dims[1], matrix.Dims[0]) : (matrix.Dims[0], matrix.Dims[1]);
        var (panels, height) = (Panels(columns), Panels(rows) * Width);
        var packed = new AlignedTensorData(panels * height * Width * sizeof(float));
        Parallel.For(0, panels, panel =>
        {
            var size = checked((int)(height * Width * sizeof(float)));
            var target = MemoryMarshal.Cast<byte, float>(packed.Writable(panel * size, size));
            target.Clear();
            var first = panel * Width;
            var width = (int)Math.Min(Width, columns - first);
            if (isTransposed)
                Turn(matrix.Data, first, width, (int)rows, target);
            else
                Copy(matrix.Data, first, width, (int)rows, columns, target);
        });
        return new Tensor(ElementType.Float, [panels, height, Width], packed, matrix.Name);
    }

    private static void Copy(TensorData data, long first, int width, int rows, long columns, Span<float> target)
    {
        for (var row = 0; row < rows; row++)
            Floats(data, (row * columns) + first, width).CopyTo(target[(row * Width)..]);
    }

    private static void Turn(TensorData data, long first, int width, int rows, Span<float> target)
    {
        for (var column = 0; column < width; column++)
        {
            var source = Floats(data, (first + column) * rows, rows);
            for (var row = 0; row < source.Length; row++)
                target[(row * Width) + column] = source[row];
        }
    }

    private static ReadOnlySpan<float> Floats(TensorData data, long start, int count) =>
        MemoryMarshal.Cast<byte, float>(data.Slice(start * sizeof(float), count * sizeof(float)));
}
