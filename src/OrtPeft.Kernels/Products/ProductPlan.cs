using OrtPeft.Kernels.Layouts;
using OrtPeft.Kernels.LowRank;

namespace OrtPeft.Kernels.Products;

/// <summary>A product X [rows, depth] · B [depth, columns], where B comes in panels, what else goes into its result,
/// and the stretch of its sums that is at work.</summary>
internal unsafe struct ProductPlan
{
    /// <summary>
    /// Elements of a sum that one tile adds up: a block of a panel then takes 72 KiB, well within the second cache, and
    /// a strip of X 12 KiB, within the first. A multiple of <see cref="PackedMatrix.Width"/>.
    /// </summary>
    public const int Block = 384;

    /// <summary>Elements of a sum for which X is packed at once, so that the copy stays small where a sum runs over a
    /// vocabulary.</summary>
    public const int Stretch = 8 * Block;

    /// <summary>The lengths.</summary>
    public long Rows, Depth, Columns;

    /// <summary>The length of a panel of the packed matrix.</summary>
    public long Height;

    /// <summary>Whether B is the packed matrix with rows and columns exchanged.</summary>
    public bool IsTransposed;

    /// <summary>Operands: X [rows, depth], null where it is in strips, and the packed matrix.</summary>
    public float* X, Panels;

    /// <summary>The packed matrix where it is in bfloat16, in words of two numbers, or in few bits; <see cref="Panels"/>
    /// is null then.</summary>
    public float* Pairs;

    /// <inheritdoc cref="Pairs"/>
    public CodePanels Codes;

    /// <summary>X in strips, filled up to whole squares, where another product has made it so; else null.</summary>
    public float* StripsOfX;

    /// <summary>Added to the result, where it is not null: [rows, columns].</summary>
    public float* Addend;

    /// <summary>Added to each row of the result, where it is not null: [columns].</summary>
    public float* Bias;

    /// <summary>The result [rows, columns]; null where it is wanted in strips alone.</summary>
    public float* Y;

    /// <summary>Where <see cref="Finish"/> puts its result in strips, filled up to whole squares; else null.</summary>
    public float* StripsOfY;

    /// <summary>LoRA's thin operands, where it is not null: its U times <see cref="Factors"/> is added, if they are
    /// there.</summary>
    public LowRankPlan* LowRank;

    /// <summary>LoRA's second matrix: B [columns, r], or A [r, columns] where the product is transposed.</summary>
    public float* Factors;

    /// <summary>Does something with a tile of the result once that is complete; may be null.</summary>
    public delegate*<in ProductPlan, in FinishedTile, void> Finish;

    /// <summary>The inputs of <see cref="Finish"/>, [rows, columns] and [columns], and its output,
    /// [rows, columns].</summary>
    public float* Hidden, HiddenBias, Finished;

    /// <summary>X's packed stretch in strips: [block][strip][element of the block][row].</summary>
    public float* Strips;

    /// <summary>U, [strip][element][row].</summary>
    public float* LowStrips;

    /// <summary>The stretch's first element of the sums, and how many it has, filled up to whole tiles.</summary>
    public long Start, Length;

    /// <summary>Rows in units of a tile's.</summary>
    public readonly long StripCount => StripsOf(Rows);

    /// <summary>Strips that a piece computes: 256 rows, whose elements for one block stay in the second cache, or 512
    /// where each piece turns the squares that it reads, or makes their numbers.</summary>
    public readonly long StripsOfPiece => IsTransposed || Codes.Exist ? 64 : 32;

    /// <summary>Pieces that share a panel.</summary>
    public readonly long PiecesOfPanel => (StripCount + StripsOfPiece - 1) / StripsOfPiece;

    /// <summary>Strips that are packed at once: as many rows as LoRA's gradient adds up in one piece.</summary>
    public readonly long StripsOfPacking =>
        LowRank != null && LowRank->Sums != null ? LowRankRows.OfPiece / ProductTile.Rows : 1;

    /// <summary>Where a tile of a result in strips begins, <see cref="ProductTile.Rows"/> numbers for each of its
    /// columns.</summary>
    public readonly long PlaceInStrips(long strip, long column)
    {
        var start = column / Block * Block;
        var length = Math.Min(Block, (PackedMatrix.Panels(Columns) * PackedMatrix.Width) - start);
        return ((start * StripCount) + (strip * length) + (column - start)) * ProductTile.Rows;
    }

    /// <summary>How many strips rows take.</summary>
    public static long StripsOf(long rows) => (rows + ProductTile.Rows - 1) / ProductTile.Rows;

    /// <summary>Rows of a strip.</summary>
    public readonly int RowsOf(long strip) => (int)Math.Min(ProductTile.Rows, Rows - (strip * ProductTile.Rows));

    /// <summary>Columns of a panel.</summary>
    public readonly int WidthOf(long panel) =>
        (int)Math.Min(PackedMatrix.Width, Columns - (panel * PackedMatrix.Width));

    /// <summary>A length of sums that whole tiles, or whole squares, add up.</summary>
    public readonly long Filled(long length) => IsTransposed || StripsOfX != null
        ? PackedMatrix.Panels(length) * PackedMatrix.Width
        : (length + ProductTile.Unroll - 1) / ProductTile.Unroll * ProductTile.Unroll;
}
