using OrtPeft.Kernels.Layouts;

namespace OrtPeft.Kernels.Products;

/// <summary>Float32 products of panels in few bits (<see cref="CodePanels"/>), whose numbers are made block by block.
/// </summary>
internal readonly unsafe struct CodeFormat : IPanelFormat
{
    private const int Width = PackedMatrix.Width;

    /// <inheritdoc/>
    public static int WordsOf(int elements) => elements;

    /// <inheritdoc/>
    public static void PackRows(float* x, nint stride, int rows, int elements, float* strip) =>
        FloatFormat.PackRows(x, stride, rows, elements, strip);

    /// <inheritdoc/>
    public static float* Block(
        in ProductPlan plan, long panel, long start, int elements, float* room, out BlockAhead next)
    {
        var row = plan.Start + start;
        plan.Codes.Decode(panel, row, elements, room);
        next = plan.Codes.PlaceOf(panel, row + elements, elements);
        return room;
    }

    /// <inheritdoc/>
    public static float* TurnedBlock(
        in ProductPlan plan, long panel, long start, int elements, float* room, out BlockAhead next)
    {
        var first = (plan.Start + start) / Width;
        var square = room + (ProductPlan.Block * Width);
        for (var i = 0; i < elements / Width; i++)
        {
            plan.Codes.Decode(first + i, panel * Width, Width, square);
            FloatFormat.TurnSquare(square, room + (i * Width * Width));
        }

        next = plan.Codes.PlaceOf(first, (panel + 1) * Width, Width);
        return room;
    }

    /// <inheritdoc/>
    public static void Multiply(
        int elements, float* a, float* b, in TileResult result, byte* ahead, int aheadBytes) =>
        ProductTile.Multiply(elements, a, b, in result, ahead, aheadBytes);
}
