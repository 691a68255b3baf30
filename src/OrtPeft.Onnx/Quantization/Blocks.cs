namespace OrtPeft.Onnx.Quantization;

/// <summary>Where the blocks of a matrix lie.</summary>
/// <param name="rows">The matrix' rows.</param>
/// <param name="columns">The matrix' columns.</param>
/// <param name="axis">The axis along which blocks run.</param>
/// <param name="size">Elements per block; the last of a row or column may have fewer.</param>
internal sealed class Blocks(int rows, int columns, int axis, int size)
{
    private readonly int _down = axis == 0 ? size : 1;
    private readonly int _across = axis == 0 ? 1 : size;
    private readonly int _perRow = Parts(columns, axis == 0 ? 1 : size);

    public int Rows => rows;

    public int Columns => columns;

    /// <summary>The axes of the scales.</summary>
    public long[] Dims => [Parts(rows, _down), Parts(columns, _across)];

    public int Count => checked((int)(Dims[0] * Dims[1]));

    public int At(int row, int column) => (row / _down * _perRow) + (column / _across);

    private static int Parts(int length, int size) => (length + size - 1) / size;
}
