using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OrtPeft.Kernels.Layouts;

namespace OrtPeft.Kernels.Products;

/// <summary>Panels of <see cref="PackedCodes"/>, whose numbers are made block by block while a product reads them: bit
/// for bit those of <c>DequantizeLinear</c>, (code − zero point)·scale.</summary>
internal readonly unsafe struct CodePanels
{
    private const int Width = PackedMatrix.Width;

    private readonly byte* _start;

    /// <summary>Reads panels.</summary>
    /// <param name="bytes">Header and panels.</param>
    /// <param name="length">How many bytes.</param>
    /// <exception cref="ArgumentException">They are not as many as the header says.</exception>
    public CodePanels(byte* bytes, long length)
    {
        _start = bytes;
        if (length < CodeHeader.Size || length != CodeHeader.Size + (Header.Panels * Header.PanelBytes))
            throw new ArgumentException($"a packed matrix of {length} bytes is not whole.");
    }

    /// <summary>Whether there are any.</summary>
    public bool Exist => _start != null;

    /// <summary>Whether products are in bfloat16.</summary>
    public bool AreForBf16 => Header.IsForBf16;

    private ref readonly CodeHeader Header => ref *(CodeHeader*)_start;

    /// <summary>Whether the matrix has these axes.</summary>
    public bool Are(long rows, long columns) => Header.Rows == rows && Header.Columns == columns;

    /// <summary>Where the codes of some rows of a panel are.</summary>
    public BlockAhead PlaceOf(long panel, long row, int rows)
    {
        var words = _start + CodeHeader.Size + (panel * Header.PanelBytes) + Header.CodesStart;
        return BlockAhead.Of(words + (row / Header.RowsOfWord * Width * sizeof(uint)), rows * Width * Header.Bits / 8);
    }

    /// <summary>Makes the numbers of some rows of a panel.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="row">The first row, of a word's the first.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="to">[rows, <see cref="PackedMatrix.Width"/>].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Decode(long panel, long row, int rows, float* to)
    {
        var size = Header.BlockSize;
        var scales = (float*)(_start + CodeHeader.Size + (panel * Header.PanelBytes));
        var zeros = Header.HasZeroPoints ? Header.BlockRows * Width : 0;
        var words = (uint*)PlaceOf(panel, row, rows).Start;
        for (var done = 0; done < rows;)
        {
            // What fills a panel up reads the last block's scales.
            var (block, place) = Math.DivRem(Math.Min(row + done, Header.Rows - 1), size);
            var end = row + done >= Header.Rows - 1 ? rows : (int)Math.Min(rows, done + size - place);
            var scale = scales + (block * Width);
            var zero = zeros == 0 ? null : scale + zeros;
            if (Header.Bits == 4)
                DecodeTable(words, done, end, scale, zero, to);
            else
                DecodeBytes(words, done, end, scale, zero, to);
            done = end;
        }
    }

    /// <summary>Rows of one block, of 4 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void DecodeTable(uint* words, int first, int end, float* scale, float* zero, float* to)
    {
        var table = Vector512.LoadUnsafe(ref Unsafe.AsRef(in Header.Table[0]));
        for (var column = 0; column < Width; column += Vector512<float>.Count)
        {
            var factor = Vector512.Load(scale + column);
            var shift = zero == null ? Vector512<float>.Zero : Vector512.Load(zero + column);
            for (var row = first; row < end; row++)
            {
                var word = Vector512.Load(words + (row / 8 * Width) + column);
                var code = Vector512.ShiftRightLogical(word, row % 8 * 4).AsInt32();
                // The instruction reads an index' lowest four bits alone.
                var number = Avx512F.IsSupported
                    ? Avx512F.PermuteVar16x32(table, code)
                    : Vector512.Shuffle(table, code & Vector512.Create(15));
                ((number - shift) * factor).Store(to + (row * Width) + column);
            }
        }
    }

    /// <summary>Rows of one block, of 8 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void DecodeBytes(uint* words, int first, int end, float* scale, float* zero, float* to)
    {
        var isSigned = Header.IsSigned;
        for (var column = 0; column < Width; column += Vector512<float>.Count)
        {
            var factor = Vector512.Load(scale + column);
            var shift = zero == null ? Vector512<float>.Zero : Vector512.Load(zero + column);
            for (var row = first; row < end; row++)
            {
                var word = Vector512.Load(words + (row / 4 * Width) + column);
                var high = Vector512.ShiftLeft(word, 24 - (row % 4 * 8));
                var code = isSigned
                    ? Vector512.ShiftRightArithmetic(high.AsInt32(), 24)
                    : Vector512.ShiftRightLogical(high, 24).AsInt32();
                ((Vector512.ConvertToSingle(code) - shift) * factor).Store(to + (row * Width) + column);
            }
        }
    }
}
