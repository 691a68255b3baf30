using System.Runtime.CompilerServices;
using OrtPeft.Kernels.Layouts;
using OrtPeft.Kernels.Loops;

namespace OrtPeft.Kernels.Products;

/// <summary>Float32 throughout, from panels of <see cref="PackedMatrix"/>.</summary>
internal readonly unsafe struct FloatFormat : IPanelFormat
{
    private const int Width = PackedMatrix.Width;

    /// <inheritdoc/>
    public static int WordsOf(int elements) => elements;

    /// <inheritdoc/>
    public static void PackRows(float* x, nint stride, int rows, int elements, float* strip) =>
        Squares.TurnRows(x, stride, rows, elements, strip, ProductTile.Rows);

    /// <inheritdoc/>
    public static float* Block(
        in ProductPlan plan, long panel, long start, int elements, float* room, out BlockAhead next)
    {
        var block = plan.Panels + (((panel * plan.Height) + plan.Start + start) * Width);
        next = BlockAhead.Of(block + (elements * Width), elements * Width * sizeof(float));
        return block;
    }

    /// <inheritdoc/>
    public static float* TurnedBlock(
        in ProductPlan plan, long panel, long start, int elements, float* room, out BlockAhead next)
    {
        var stride = plan.Height * Width;
        var square = plan.Panels + (((plan.Start + start) / Width * stride) + (panel * Width * Width));
        for (var i = 0; i < elements; i += Width, square += stride)
            TurnSquare(square, room + (i * Width));
        if (start + elements == plan.Length)
            square = plan.Panels + ((plan.Start / Width * stride) + ((panel + 1) * Width * Width));
        next = new BlockAhead
        {
            Start = (byte*)square,
            Bytes = Width * Width * sizeof(float),
            Runs = ProductPlan.Block / Width,
            Stride = (nint)stride * sizeof(float),
        };
        return room;
    }

    /// <summary>Turns a square of a panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TurnSquare(float* square, float* turned)
    {
        for (var row = 0; row < Width; row += Squares.Large)
        {
            for (var column = 0; column < Width; column += Squares.Large)
                Squares.TurnLarge(square + (row * Width) + column, Width, turned + (column * Width) + row, Width);
        }
    }

    /// <inheritdoc/>
    public static void Multiply(
        int elements, float* a, float* b, in TileResult result, byte* ahead, int aheadBytes) =>
        ProductTile.Multiply(elements, a, b, in result, ahead, aheadBytes);
}
