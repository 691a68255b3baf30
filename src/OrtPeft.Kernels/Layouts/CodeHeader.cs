using System.Runtime.CompilerServices;

namespace OrtPeft.Kernels.Layouts;

/// <summary>The header before the panels of <see cref="PackedCodes"/>, in whole cache lines.</summary>
internal struct CodeHeader
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 128;

    /// <summary>Numbers that 4 bits tell apart.</summary>
    public const int TableLength = 16;

    /// <summary>The matrix' axes.</summary>
    public long Rows, Columns;

    /// <summary>Rows that share a scale.</summary>
    public int BlockSize;

    /// <summary>4 or 8.</summary>
    public int Bits;

    /// <summary>Whether codes of 8 bits have a sign.</summary>
    public bool IsSigned;

    /// <summary>Whether each block has a zero point.</summary>
    public bool HasZeroPoints;

    /// <summary>Whether products are in bfloat16.</summary>
    public bool IsForBf16;

    /// <summary>The numbers that codes of 4 bits stand for.</summary>
    public Numbers Table;

    /// <summary>Whether lengths are such as matrices have, and sums and products of them stay in range.</summary>
    public readonly bool IsSound => Rows is > 0 and <= int.MaxValue && Columns is > 0 and <= int.MaxValue
        && BlockSize > 0 && Bits is 4 or 8;

    /// <summary>How many panels there are.</summary>
    public readonly long Panels => PackedMatrix.Panels(Columns);

    /// <summary>A panel's rows, filled up to whole squares.</summary>
    public readonly long Height => PackedMatrix.Panels(Rows) * PackedMatrix.Width;

    /// <summary>Rows whose codes share a word.</summary>
    public readonly int RowsOfWord => 32 / Bits;

    /// <summary>Rows of words in a panel.</summary>
    public readonly long WordRows => Height / RowsOfWord;

    /// <summary>Blocks of a column.</summary>
    public readonly long BlockRows => (Rows + BlockSize - 1) / BlockSize;

    /// <summary>Where a panel's codes begin, in bytes.</summary>
    public readonly long CodesStart => BlockRows * PackedMatrix.Width * sizeof(float) * (HasZeroPoints ? 2 : 1);

    /// <summary>Bytes of a panel.</summary>
    public readonly long PanelBytes => CodesStart + (WordRows * PackedMatrix.Width * sizeof(uint));

    /// <summary>A number for each code.</summary>
    [InlineArray(TableLength)]
    public struct Numbers
    {
        private float _first;
    }
}
