namespace OrtPeft.Kernels.Products;

/// <summary>How the operands of a product lie in memory, and how a tile of them is multiplied. Places and lengths are
/// in words of 32 bits, whatever is in them.</summary>
internal unsafe interface IPanelFormat
{
    /// <summary>Words of as many elements of a sum, of one row or column.</summary>
    static abstract int WordsOf(int elements);

    /// <summary>Packs up to <see cref="ProductTile.Rows"/> rows, [words of the elements, rows]; rows that are not there
    /// are 0.</summary>
    /// <param name="x">The first row.</param>
    /// <param name="stride">How far rows are apart.</param>
    /// <param name="rows">How many there are.</param>
    /// <param name="elements">Elements of each.</param>
    /// <param name="strip">The result.</param>
    static abstract void PackRows(float* x, nint stride, int rows, int elements, float* strip);

    /// <summary>A block of a panel, [words of the elements, <see cref="Layouts.PackedMatrix.Width"/>].</summary>
    /// <param name="plan">The product.</param>
    /// <param name="panel">The panel.</param>
    /// <param name="start">The block's first element, of the stretch at work.</param>
    /// <param name="elements">How many it has.</param>
    /// <param name="room">Memory for two blocks of float32, if the block has to be made.</param>
    /// <param name="next">Where the next block comes from.</param>
    static abstract float* Block(
        in ProductPlan plan, long panel, long start, int elements, float* room, out BlockAhead next);

    /// <summary>The same of the transposed matrix; elements are whole squares.</summary>
    /// <inheritdoc cref="Block"/>
    static abstract float* TurnedBlock(
        in ProductPlan plan, long panel, long start, int elements, float* room, out BlockAhead next);

    /// <summary>Multiplies a tile: <see cref="ProductTile.Rows"/> rows of a strip with a block.</summary>
    /// <inheritdoc cref="ProductTile.Multiply"/>
    static abstract void Multiply(int elements, float* a, float* b, in TileResult result, byte* ahead, int aheadBytes);
}
