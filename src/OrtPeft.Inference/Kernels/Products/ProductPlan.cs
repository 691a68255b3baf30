using OrtPeft.Adapters.Artifacts.Speed.Kernels;

namespace OrtPeft.Inference.Kernels.Products;

/// <summary>A product X [rows, depth] · B [depth, columns], where B comes in panels, and the stretch of its sums that
/// is at work.</summary>
internal struct ProductPlan
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

    /// <summary>Strips that a piece computes.</summary>
    public long StripsOfPiece;

    /// <summary>The stretch's first element of the sums, and how many it has, filled up to whole tiles.</summary>
    public long Start, Length;

    /// <summary>Rows in units of a tile's.</summary>
    public readonly long Strips => (Rows + ProductTile.Rows - 1) / ProductTile.Rows;

    /// <summary>Pieces that share a panel.</summary>
    public readonly long PiecesOfPanel => (Strips + StripsOfPiece - 1) / StripsOfPiece;
}
