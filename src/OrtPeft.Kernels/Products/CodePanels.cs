using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
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
        if (length < CodeHeader.Size || !Header.IsSound
            || length != CodeHeader.Size + ((Int128)Header.Panels * Header.PanelBytes))
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
                var number = Pick(table, Vector512.ShiftRightLogical(word, row % 8 * 4));
                ((number - shift) * factor).Store(to + (row * Width) + column);
            }
        }
    }

    /// <summary>Rows of one block, of 8 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void DecodeBytes(uint* words, int first, int end, float* scale, float* zero, float* to)
    {
        for (var column = 0; column < Width; column += Vector512<float>.Count)
        {
            var factor = Vector512.Load(scale + column);
            var shift = zero == null ? Vector512<float>.Zero : Vector512.Load(zero + column);
            for (var row = first; row < end; row++)
            {
                var number = Byte(words + (row / 4 * Width) + column, 24 - (row % 4 * 8));
                ((number - shift) * factor).Store(to + (row * Width) + column);
            }
        }
    }

    /// <summary>Multiplies one row with a panel. Each block's scale is multiplied with its sum, not with its numbers.
    /// </summary>
    /// <param name="panel">The panel.</param>
    /// <param name="x">The row.</param>
    /// <param name="y">The sums, of a panel's width.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void MultiplyRow(long panel, float* x, float* y)
    {
        var (rows, size) = (Header.Rows, Header.BlockSize);
        var scale = (float*)(_start + CodeHeader.Size + (panel * Header.PanelBytes));
        var zeros = Header.HasZeroPoints ? Header.BlockRows * Width : 0;
        var words = (uint*)PlaceOf(panel, 0, 0).Start;
        var sums = default(Sums);
        for (var first = 0L; first < rows; first += size, scale += Width)
        {
            var end = Math.Min(first + size, rows);
            var block = default(Sums);
            var total = Header.Bits == 4
                ? AddTable(words, first, end, x, ref block)
                : AddBytes(words, first, end, x, ref block);
            if (zeros != 0)
                block.Add(-total, scale + zeros);
            sums.AddScaled(in block, scale);
        }

        sums.Store(y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float AddTable(uint* words, long first, long end, float* x, ref Sums sums)
    {
        var table = Vector512.LoadUnsafe(ref Unsafe.AsRef(in Header.Table[0]));
        var (a, b, c) = (sums.First, sums.Second, sums.Third);
        Vector512<uint> u = default, v = default, w = default;
        var total = 0f;
        for (var row = first; row < end; row++)
        {
            if (row % 8 == 0 || row == first)
            {
                var word = words + (row / 8 * Width);
                var shift = (int)(row % 8) * 4;
                u = Vector512.ShiftRightLogical(Vector512.Load(word), shift);
                v = Vector512.ShiftRightLogical(Vector512.Load(word + 16), shift);
                w = Vector512.ShiftRightLogical(Vector512.Load(word + 32), shift);
            }

            var factor = Vector512.Create(x[row]);
            total += x[row];
            a = Vector512.MultiplyAddEstimate(factor, Pick(table, u), a);
            b = Vector512.MultiplyAddEstimate(factor, Pick(table, v), b);
            c = Vector512.MultiplyAddEstimate(factor, Pick(table, w), c);
            (u, v, w) = (Vector512.ShiftRightLogical(u, 4), Vector512.ShiftRightLogical(v, 4), Vector512.ShiftRightLogical(w, 4));
        }

        (sums.First, sums.Second, sums.Third) = (a, b, c);
        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float AddBytes(uint* words, long first, long end, float* x, ref Sums sums)
    {
        var total = 0f;
        for (var row = first; row < end; row++)
        {
            var word = words + (row / 4 * Width);
            var up = 24 - ((int)(row % 4) * 8);
            var factor = Vector512.Create(x[row]);
            total += x[row];
            sums.First = Vector512.MultiplyAddEstimate(factor, Byte(word, up), sums.First);
            sums.Second = Vector512.MultiplyAddEstimate(factor, Byte(word + 16, up), sums.Second);
            sums.Third = Vector512.MultiplyAddEstimate(factor, Byte(word + 32, up), sums.Third);
        }

        return total;
    }

    /// <summary>The numbers of codes in the lowest four bits; others are arbitrary.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Pick(Vector512<float> table, Vector512<uint> words)
    {
        // The instruction reads an index' lowest four bits alone.
        if (Avx512F.IsSupported)
            return Avx512F.PermuteVar16x32(table, words.AsInt32());
        if (Avx2.IsSupported)
            return Vector512.Create(PickEight(table, words.GetLower()), PickEight(table, words.GetUpper()));
        return Vector512.Create(
            Vector256.Create(PickFour(table, words.GetLower().GetLower()), PickFour(table, words.GetLower().GetUpper())),
            Vector256.Create(PickFour(table, words.GetUpper().GetLower()), PickFour(table, words.GetUpper().GetUpper())));
    }

    /// <summary>Three bits pick a number of each half of the table, the fourth one of the two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> PickEight(Vector512<float> table, Vector256<uint> words)
    {
        var low = Avx2.PermuteVar8x32(table.GetLower(), words.AsInt32());
        var high = Avx2.PermuteVar8x32(table.GetUpper(), words.AsInt32());
        return Avx.BlendVariable(low, high, Vector256.ShiftLeft(words, 28).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> PickFour(Vector512<float> table, Vector128<uint> words)
    {
        words &= Vector128.Create(15u);
        if (!AdvSimd.Arm64.IsSupported)
            return Vector128.Create(
                table[(int)words[0]], table[(int)words[1]], table[(int)words[2]], table[(int)words[3]]);
        // Four bytes of each number.
        var bytes = (words * 0x04040404u) + Vector128.Create(0x03020100u);
        var (low, high) = (table.GetLower(), table.GetUpper());
        var numbers = (
            low.GetLower().AsByte(), low.GetUpper().AsByte(), high.GetLower().AsByte(), high.GetUpper().AsByte());
        return AdvSimd.Arm64.VectorTableLookup(numbers, bytes.AsByte()).AsSingle();
    }

    /// <summary>The bytes that stand under so many higher bits, as numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector512<float> Byte(uint* words, int up)
    {
        var high = Vector512.ShiftLeft(Vector512.Load(words), up);
        return Vector512.ConvertToSingle(Header.IsSigned
            ? Vector512.ShiftRightArithmetic(high.AsInt32(), 24)
            : Vector512.ShiftRightLogical(high, 24).AsInt32());
    }

    /// <summary>A panel's width of sums.</summary>
    private struct Sums
    {
        public Vector512<float> First, Second, Third;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(float factor, float* numbers)
        {
            var by = Vector512.Create(factor);
            First = Vector512.MultiplyAddEstimate(by, Vector512.Load(numbers), First);
            Second = Vector512.MultiplyAddEstimate(by, Vector512.Load(numbers + 16), Second);
            Third = Vector512.MultiplyAddEstimate(by, Vector512.Load(numbers + 32), Third);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void AddScaled(in Sums block, float* scale)
        {
            First = Vector512.MultiplyAddEstimate(block.First, Vector512.Load(scale), First);
            Second = Vector512.MultiplyAddEstimate(block.Second, Vector512.Load(scale + 16), Second);
            Third = Vector512.MultiplyAddEstimate(block.Third, Vector512.Load(scale + 32), Third);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Store(float* to)
        {
            First.Store(to);
            Second.Store(to + 16);
            Third.Store(to + 32);
        }
    }
}
