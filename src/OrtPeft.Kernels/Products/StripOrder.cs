using OrtPeft.Kernels.Layouts;
using OrtPeft.Kernels.Loops;

namespace OrtPeft.Kernels.Products;

/// <summary>
/// The order in which a product reads its left operand, [block][strip][element of the block][row]: a product that feeds
/// another one writes its tiles so, and nobody has to pack them.
/// </summary>
internal static unsafe class StripOrder
{
    /// <summary>Numbers of a tile.</summary>
    public const int Numbers = ProductTile.Rows * PackedMatrix.Width;

    /// <summary>The axes of rows [rows, columns] in this order, filled up with zeros.</summary>
    public static long[] Dims(long rows, long columns) =>
        [PackedMatrix.Panels(columns) * PackedMatrix.Width, ProductPlan.StripsOf(rows), ProductTile.Rows];

    /// <summary>Puts a tile where it belongs.</summary>
    /// <param name="rows">Its rows, each of <see cref="PackedMatrix.Width"/>.</param>
    /// <param name="tile">Which it is.</param>
    public static void Put(float* rows, in FinishedTile tile)
    {
        Squares.TurnRows(rows, PackedMatrix.Width, tile.Rows, tile.Columns, tile.Strip, ProductTile.Rows);
        Fill(in tile);
    }

    /// <summary>The same past the caches, which it would fill.</summary>
    public static void Stream(float* rows, in FinishedTile tile)
    {
        Squares.StreamRows(rows, PackedMatrix.Width, tile.Rows, tile.Columns, tile.Strip, ProductTile.Rows);
        Fill(in tile);
    }

    private static void Fill(in FinishedTile tile)
    {
        var there = tile.Columns * ProductTile.Rows;
        new Span<float>(tile.Strip + there, Numbers - there).Clear();
    }
}
