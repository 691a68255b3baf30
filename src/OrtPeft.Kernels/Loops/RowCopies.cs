namespace OrtPeft.Kernels.Loops;

/// <summary>Copies of rows that lie apart.</summary>
internal static unsafe class RowCopies
{
    /// <summary>Copies rows; their ends stay as they are.</summary>
    /// <param name="from">The first row.</param>
    /// <param name="stride">How far rows are apart.</param>
    /// <param name="length">Elements of a row.</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="to">The first copy.</param>
    /// <param name="toStride">How far copies are apart.</param>
    public static void Copy(float* from, nint stride, int length, int rows, float* to, nint toStride)
    {
        for (var row = 0; row < rows; row++, from += stride, to += toStride)
            new ReadOnlySpan<float>(from, length).CopyTo(new Span<float>(to, length));
    }

    /// <summary>Copies rows into longer ones, which zeros fill.</summary>
    /// <inheritdoc cref="Copy"/>
    public static void Lengthen(float* from, nint stride, int length, int rows, float* to, int toStride)
    {
        Copy(from, stride, length, rows, to, toStride);
        for (var row = 0; row < rows; row++, to += toStride)
            new Span<float>(to + length, toStride - length).Clear();
    }
}
