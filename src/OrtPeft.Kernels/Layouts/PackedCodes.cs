using System.Runtime.InteropServices;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Kernels.Layouts;

/// <summary>
/// A constant matrix [rows, columns] in few bits, in panels of as many columns, and filled up to as many rows and
/// columns, as <see cref="PackedMatrix"/>'s. Its blocks run along its rows: a panel is
/// <list type="number">
/// <item>a row of scales for each block,</item>
/// <item>where the matrix has zero points, a row of them for each block, float32 too,</item>
/// <item>words of 32 bits, [rows / rows of a word, columns], with the codes of 8 rows of 4 bits or of 4 rows of 8 bits,
/// the first in the lowest bits.</item>
/// </list>
/// </summary>
public static class PackedCodes
{
    private const int Width = PackedMatrix.Width;

    /// <summary>Whether a matrix has such a form: its blocks run along the axis that products sum over.</summary>
    /// <param name="matrix">The matrix.</param>
    /// <param name="isTransposed">Whether products multiply with its transpose.</param>
    /// <returns>Whether <see cref="Pack"/> takes it.</returns>
    public static bool CanPack(QuantizedTensor matrix, bool isTransposed)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        return matrix.Axis == (isTransposed ? 1 : 0) && matrix.Values.Count > 0;
    }

    /// <summary>Copies a matrix into panels.</summary>
    /// <param name="matrix">[rows, columns], or [columns, rows] where it is transposed.</param>
    /// <param name="isTransposed">Whether the second is the case.</param>
    /// <param name="inBf16">Whether products round its numbers, and the rows that meet them, to bfloat16. Default
    /// false.</param>
    /// <returns>Bytes: <see cref="CodeHeader"/> and the panels.</returns>
    public static Tensor Pack(QuantizedTensor matrix, bool isTransposed, bool inBf16 = false)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        var dims = matrix.Values.Dims;
        var header = new CodeHeader
        {
            Rows = dims[isTransposed ? 1 : 0],
            Columns = dims[isTransposed ? 0 : 1],
            BlockSize = matrix.BlockSize,
            Bits = matrix.Bits,
            IsSigned = matrix.IsSigned,
            HasZeroPoints = matrix.ZeroPoints is not null,
            IsForBf16 = inBf16,
        };
        for (var code = 0; code < CodeHeader.TableLength && header.Bits == 4; code++)
            header.Table[code] = matrix.NumberOf(code);
        var packed = new AlignedTensorData(checked(CodeHeader.Size + (header.Panels * header.PanelBytes)));
        MemoryMarshal.Write(packed.Writable(0, CodeHeader.Size), header);

        var (scales, zeros) = (matrix.Scales.ToFloat32(), matrix.ZeroPointsToFloat32());
        Parallel.For(0, header.Panels, panel =>
        {
            var rows = new BlockRows(header, panel, isTransposed);
            rows.Copy(scales, Numbers(packed, header, panel, 0));
            if (header.HasZeroPoints)
                rows.Copy(zeros, Numbers(packed, header, panel, header.BlockRows));
        });
        Parallel.For(0, isTransposed ? header.Panels : header.WordRows, part =>
        {
            if (isTransposed)
                PutColumns(matrix, packed, header, part);
            else
                PutRows(matrix, packed, header, part);
        });
        GC.KeepAlive(packed);
        return new Tensor(ElementType.UInt8, [packed.Length], packed, matrix.Values.Name);
    }

    /// <summary>Codes of the rows that share words, of all panels.</summary>
    private static void PutRows(QuantizedTensor matrix, AlignedTensorData packed, CodeHeader header, long wordRow)
    {
        var codes = new byte[header.Columns];
        var first = wordRow * header.RowsOfWord;
        var words = new uint[header.Panels * Width];
        for (var row = first; row < Math.Min(first + header.RowsOfWord, header.Rows); row++)
        {
            matrix.CopyCodes((int)row, codes);
            for (var column = 0; column < codes.Length; column++)
                words[column] |= (uint)codes[column] << ((int)(row - first) * header.Bits);
        }

        for (var panel = 0L; panel < header.Panels; panel++)
            words.AsSpan((int)panel * Width, Width).CopyTo(Words(packed, header, panel, wordRow, 1));
    }

    /// <summary>Codes of one panel, whose columns are the matrix' rows.</summary>
    private static void PutColumns(QuantizedTensor matrix, AlignedTensorData packed, CodeHeader header, long panel)
    {
        var codes = new byte[header.Rows];
        var words = Words(packed, header, panel, 0, header.WordRows);
        words.Clear();
        for (var column = 0; column < Math.Min(Width, header.Columns - (panel * Width)); column++)
        {
            matrix.CopyCodes((int)(panel * Width) + column, codes);
            for (var row = 0; row < codes.Length; row++)
                words[(row / header.RowsOfWord * Width) + column] |=
                    (uint)codes[row] << (row % header.RowsOfWord * header.Bits);
        }
    }

    private static Span<float> Numbers(AlignedTensorData packed, CodeHeader header, long panel, long first) =>
        MemoryMarshal.Cast<byte, float>(packed.Writable(
            CodeHeader.Size + (panel * header.PanelBytes) + (first * Width * sizeof(float)),
            checked((int)(header.BlockRows * Width * sizeof(float)))));

    private static Span<uint> Words(AlignedTensorData packed, CodeHeader header, long panel, long first, long count) =>
        MemoryMarshal.Cast<byte, uint>(packed.Writable(
            CodeHeader.Size + (panel * header.PanelBytes) + header.CodesStart + (first * Width * sizeof(uint)),
            checked((int)(count * Width * sizeof(uint)))));

    /// <summary>Finds a panel's numbers among those of all blocks, [blocks, columns] or [columns, blocks].</summary>
    private readonly record struct BlockRows(CodeHeader Header, long Panel, bool IsTransposed)
    {
        public void Copy(float[] numbers, Span<float> target)
        {
            target.Clear();
            for (var column = 0L; column < Math.Min(Width, Header.Columns - (Panel * Width)); column++)
            {
                for (var block = 0L; block < Header.BlockRows; block++)
                {
                    var ofAll = (Panel * Width) + column;
                    target[(int)((block * Width) + column)] = numbers[IsTransposed
                        ? (ofAll * Header.BlockRows) + block
                        : (block * Header.Columns) + ofAll];
                }
            }
        }
    }
}
