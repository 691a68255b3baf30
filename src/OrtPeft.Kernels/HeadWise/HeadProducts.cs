using OrtPeft.Kernels.Loops;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>Products of one head with a block of queries, whose scores lie turned: [keys, block].</summary>
internal static unsafe class HeadProducts
{
    private const int Rows = StridedTile.Rows;
    private const int Block = AttentionPlan.Block;

    /// <summary>Keys [keys, d] times queries turned, [d, block] → [keys, block].</summary>
    public static void Scores(int keys, int d, float* rows, float* turned, float* scores)
    {
        for (var key = 0; key < keys; key += Rows)
            StridedTile.Multiply(
                d, rows + ((nint)key * d), d, 1, turned, Block, scores + ((nint)key * Block), Block, adds: false);
    }

    /// <summary>Scoresᵀ times rows of keys [keys, width] → rows of queries.</summary>
    /// <param name="keys">How many keys there are.</param>
    /// <param name="scores">[keys, block].</param>
    /// <param name="rows">[keys, width].</param>
    /// <param name="width">The rows' length, in whole tiles.</param>
    /// <param name="to">Where results go.</param>
    /// <param name="first">The first query.</param>
    /// <param name="queries">How many there are.</param>
    /// <param name="d">The results' length.</param>
    /// <param name="tile">Room for [<see cref="StridedTile.Rows"/>, width].</param>
    public static void Queries(
        int keys, float* scores, float* rows, int width, StridedRows to, int first, int queries, int d, float* tile)
    {
        for (var query = 0; query < queries; query += Rows)
        {
            var count = Math.Min(Rows, queries - query);
            var isWhole = count == Rows && width == d;
            var result = isWhole ? to.At(first + query) : tile;
            var stride = isWhole ? to.Stride : width;
            to.AskFor(first + query + Rows, Rows, d);
            for (var column = 0; column < width; column += StridedTile.Width)
                StridedTile.Multiply(
                    keys, scores + query, 1, Block, rows + column, width, result + column, stride, adds: false);
            if (!isWhole)
                to.Put(tile, width, first + query, count, d);
        }
    }

    /// <summary>Adds scores [keys, block] times rows of queries [block, width] to [keys, width].</summary>
    public static void AddToKeys(int keys, float* scores, float* rows, int width, float* sums)
    {
        for (var column = 0; column < width; column += StridedTile.Width)
        {
            for (var key = 0; key < keys; key += Rows)
                StridedTile.Multiply(
                    Block, scores + ((nint)key * Block), Block, 1, rows + column, width,
                    sums + ((nint)key * width) + column, width, adds: true);
        }
    }
}
