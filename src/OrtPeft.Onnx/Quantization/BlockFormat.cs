using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Quantization;

/// <summary>How a weight is stored in few bits: blocks of neighbours along one axis share a scale.</summary>
public sealed record BlockFormat
{
    /// <summary>The widths that there are, in bits.</summary>
    public static IReadOnlyList<int> Widths { get; } = [4, 8];

    /// <summary>The block sizes that there are, in elements.</summary>
    public static IReadOnlyList<int> BlockSizes { get; } = [32, 64, 128];

    /// <summary>Bits per element: 4 (default) or 8.</summary>
    public int Bits { get; init; } = 4;

    /// <summary>Elements that share a scale: 32, 64 (default) or 128. An axis' last block may have fewer.</summary>
    public int BlockSize { get; init; } = 64;

    /// <summary>
    /// True (default): signed integers, w ≈ s·q. False: unsigned integers with a zero point per block, w ≈ s·(q − z),
    /// which spends no values on a side that a block does not have.
    /// </summary>
    public bool IsSymmetric { get; init; } = true;

    /// <summary>
    /// The numbers that the codes stand for; null (default): for the integers themselves, evenly spaced. With a code
    /// book they are 4 bits wide, w ≈ s·value[q] with s the block's largest magnitude, and an axis that is not a
    /// multiple of the block size has the largest smaller blocks that divide it.
    /// </summary>
    public CodeBook? CodeBook { get; init; }

    /// <summary>The element type of the stored integers.</summary>
    internal ElementType Type => CodeBook is not null ? ElementType.UInt4 : (Bits, IsSymmetric) switch
    {
        (4, true) => ElementType.Int4,
        (4, false) => ElementType.UInt4,
        (_, true) => ElementType.Int8,
        _ => ElementType.UInt8,
    };

    /// <summary>An error where a field has a value that there is not.</summary>
    /// <exception cref="ArgumentException">Bits or block size are none of the known ones, or do not go with the code
    /// book.</exception>
    public void Check()
    {
        if (!Widths.Contains(Bits))
            throw new SettingException($"Bits is {Bits}; it must be one of {string.Join(", ", Widths)}.");
        if (!BlockSizes.Contains(BlockSize))
            throw new SettingException(
                $"BlockSize is {BlockSize}; it must be one of {string.Join(", ", BlockSizes)}.");
        if (CodeBook is not null && Bits != 4)
            throw new SettingException($"Bits is {Bits}, but codes of {CodeBook} have 4; leave one of the two out.");
        if (CodeBook is not null && !IsSymmetric)
            throw new SettingException($"IsSymmetric is false, but {CodeBook} has no zero points; leave one out.");
    }

    /// <summary>Elements per block along an axis.</summary>
    /// <param name="length">The axis' length.</param>
    internal int SizeAlong(long length)
    {
        if (CodeBook is null || length == 0)
            return BlockSize;
        var size = (int)Math.Min(BlockSize, length);
        while (length % size != 0)
            size--;
        return size;
    }
}
