using System.Runtime.InteropServices;
using OrtPeft.Kernels.Loops;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Kernels.Layouts;

/// <summary>
/// A constant matrix [rows, columns] in the order that <see cref="Products.PackedMatMul.Forward"/> reads: panels of
/// <see cref="Width"/> columns, one after the other, each row by row. Rows and columns are filled up with zeros to
/// multiples of <see cref="Width"/>, so that a panel consists of squares, which
/// <see cref="Products.PackedMatMul.Transposed"/> turns as it goes: one copy serves both directions.
/// </summary>
public static unsafe class PackedMatrix
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
        var packed = new AlignedTensorData(checked(panels * height * Width * sizeof(float)));
        if (isTransposed)
            Parallel.For(0, panels, panel => Turn(matrix, panel, Panel(packed, panel, height)));
        else
            Parallel.For(0, height / Width, square => Copy(matrix, square * Width, packed, height));
        GC.KeepAlive(matrix);
        GC.KeepAlive(packed);
        return new Tensor(ElementType.Float, [panels, height, Width], packed, matrix.Name);
    }

    /// <summary>Copies rows, as many as a panel has columns, each into all panels: every row is read at once.</summary>
    private static void Copy(Tensor matrix, long first, AlignedTensorData packed, long height)
    {
        var (rows, columns) = (matrix.Dims[0], matrix.Dims[1]);
        for (var row = first; row < first + Width; row++)
        {
            var source = row < rows ? Floats(matrix.Data, row * columns, checked((int)columns)) : [];
            for (var panel = 0L; panel < Panels(columns); panel++)
            {
                var target = Part(packed, ((panel * height) + row) * Width, Width);
                var there = source[Math.Min(source.Length, (int)panel * Width)..];
                there = there[..Math.Min(there.Length, Width)];
                there.CopyTo(target);
                target[there.Length..].Clear();
            }
        }
    }

    /// <summary>Turns rows into the columns of one panel.</summary>
    private static void Turn(Tensor matrix, long panel, Span<float> target)
    {
        var (columns, rows) = (matrix.Dims[0], checked((int)matrix.Dims[1]));
        var there = (int)Math.Min(Width, columns - (panel * Width));
        fixed (float* source = Floats(matrix.Data, panel * Width * rows, checked(there * rows)), y = target)
        {
            Squares.TurnRows(source, rows, there, rows, y, Width);
        }

        target[(rows * Width)..].Clear();
    }

    private static Span<float> Panel(AlignedTensorData packed, long panel, long height) =>
        Part(packed, panel * height * Width, checked((int)(height * Width)));

    private static Span<float> Part(AlignedTensorData packed, long start, int count) =>
        MemoryMarshal.Cast<byte, float>(packed.Writable(start * sizeof(float), count * sizeof(float)));

    /// <summary>Numbers of a matrix, where they lie.</summary>
    internal static ReadOnlySpan<float> Floats(TensorData data, long start, int count) =>
        MemoryMarshal.Cast<byte, float>(data.Window(start * sizeof(float), count * sizeof(float)));
}
