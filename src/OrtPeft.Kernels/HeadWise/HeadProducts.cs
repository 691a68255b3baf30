using OrtPeft.Kernels.Loops;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>Products of one head with a block of queries, whose scores lie turned: [keys, block].</summary>
internal static unsafe class HeadProducts
{
    private const int Rows = StridedTile.Rows;
    private const int Block = AttentionPlan.Block;

    /// <summary>Keys [keys, width] times queries turned, [d, block] → [keys, block].</summary>
    public static void Scores(int keys, int d, float* rows, int width, float* turned, float* scores)
    {
        for (var key = 0; key < keys; key += Rows)
            StridedTile.Multiply(
                d, rows + ((nint)key * width), width, 1, turned, Block, scores + ((nint)key * Block), Block,
                adds: false);
    }

    /// <summary>Scoresᵀ times rows of keys [keys, width] → rows of queries [block, width], of which those after the
    /// last query may stay as they are.</summary>
    /// <param name="keys">How many keys there are.</param>
    /// <param name="scores">[keys, block].</param>
    /// <param name="rows">[keys, width].</param>
    /// <param name="width">The rows' length, in whole tiles.</param>
    /// <param name="queries">How many queries there are.</param>
    /// <param name="y">[block, width].</param>
    /// <param name="adds">Whether to add to what is there.</param>
    public static void Queries(int keys, float* scores, float* rows, int width, int queries, float* y, bool adds)
    {
        for (var query = 0; query < queries; query += Rows)
        {
            for (var column = 0; column < width; column += StridedTile.Width)
                StridedTile.Multiply(
                    keys, scores + query, 1, Block, rows + column, width, y + ((nint)query * width) + column, width,
                    adds);
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
